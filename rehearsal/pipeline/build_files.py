"""The files between the pipeline and the process of a build, in the build's folder."""

REQUEST, RESULT, LOG = "request.json", "result.json", "build.log"
