"""Where the networks of a command line are measured, and how many at the same time."""

from __future__ import annotations

from evaluate.images.load import ImageData
from evaluate.training.recipe import Recipe
from search.cli.request import Request
from search.propose.listed import resolution_of
from search.run.settings import Settings
from search.workers.evaluation import Evaluator, images_at
from search.workers.executor import Executor, InProcess
from search.workers.how_many import workers_for


def workers_of(request: Request, settings: Settings, recipe: Recipe, device: str) -> int | None:
    """How many networks at the same time; None: as many as the Ray cluster has room for."""
    if request.workers is not None or request.ray_address:
        return request.workers
    networks = len(settings.landmarks) + request.trials
    return workers_for(settings, recipe, device, request.gpu_fraction, networks)


def executor_for(request: Request, settings: Settings, recipe: Recipe, data: ImageData, device: str) -> Executor:
    """Where networks are measured: in this process, in several of this machine, or on a Ray cluster."""
    resolutions = [] if settings.sweep is None else [resolution_of(each, settings, recipe) for each in settings.listed]
    evaluate = Evaluator(settings, recipe, data, device, images_at(resolutions, settings, recipe, data))
    workers = workers_of(request, settings, recipe, device)
    if request.ray_address:
        from search.workers.ray_executor import OnRay  # what is not installed unless it is asked for

        return OnRay(
            evaluate, address=request.ray_address, workers=workers, gpu_fraction=request.gpu_fraction, device=device
        )
    assert workers is not None  # else there is a cluster
    if workers == 1:
        return InProcess(evaluate)
    from search.workers.process_executor import OnProcesses

    return OnProcesses(evaluate, workers=workers, device=device)
