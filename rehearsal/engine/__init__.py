"""Tasks and databases of a rehearsal as processes; see docs/adr/0013-process-engine.md."""
