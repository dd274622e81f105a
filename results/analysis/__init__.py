"""What a run's networks tell: arithmetic, no pictures.

=============  ================================================================================
`hypervolume`  of a run
`samples`      the sampled networks and what sets them apart
`bootstrap`    intervals at like cost; `trend`: what networks of a cost score as a rule
`importance`   how much each axis decides
`comparison`   several runs side by side
=============  ================================================================================
"""
