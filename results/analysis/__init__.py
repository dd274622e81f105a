"""What a run's networks tell: arithmetic, no pictures.

============  ================================================================================
`pareto`      the exact non-dominated set and its hypervolume; `hypervolume`: of a run
`repeats`     networks trained from several seeds; `uncertainty`: the frontier without seed variance
`samples`     the sampled networks and what sets them apart
`bootstrap`   intervals at like cost; `trend`: what networks of a cost score as a rule
`importance`  how much each axis decides
`comparison`  several runs side by side
============  ================================================================================
"""
