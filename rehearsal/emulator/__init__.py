"""AWS on this machine: several accounts and regions, with IAM evaluated, for the CDK CLI and boto3."""

from rehearsal.emulator.controller import Emulator, EmulatorError
from rehearsal.emulator.limits import NOT_ENFORCED, RECORDED_ONLY

__all__ = ["NOT_ENFORCED", "RECORDED_ONLY", "Emulator", "EmulatorError"]
