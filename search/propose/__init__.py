"""Which network next?

==========  ================================================================================
`proposer`  `Proposer`: of a sampler, a neighbour of the best, an earlier run
`warm`      what earlier runs give
==========  ================================================================================
"""
