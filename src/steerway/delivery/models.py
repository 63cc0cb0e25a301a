"""The tables of this area, process by process."""

from steerway.delivery.analyses.models import Analysis
from steerway.delivery.builds.models import Build
from steerway.delivery.canaries.models import CanaryEvidence, CanaryJudgement
from steerway.delivery.declarations.models import Exposure, Flag, FlagDocument, FlagFile, Place
from steerway.delivery.deployments.models import Deployment, DeploymentStep
from steerway.delivery.exposures.models import ExposureJudgement
from steerway.delivery.releases.models import Release
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.router.models import Route
from steerway.delivery.runtimes.models import Replica

__all__ = [
    "Analysis",
    "Build",
    "CanaryEvidence",
    "CanaryJudgement",
    "Deployment",
    "DeploymentStep",
    "Exposure",
    "ExposureJudgement",
    "Flag",
    "FlagDocument",
    "FlagFile",
    "Place",
    "Release",
    "Replica",
    "Rollout",
    "Route",
]
