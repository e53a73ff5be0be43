"""CodePipeline on this machine: executes the deployed definition, each action with the role that it names."""
