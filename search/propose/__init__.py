"""Which network next?

==========  ================================================================================
`proposer`  `Proposer`: of a sampler, a neighbour of the best, an earlier run
`samplers`  Optuna's samplers over the axes; `tpe`: TPE, which sorts once a proposal
`listed`    the networks of a sweep, in a sampler's place
`warm`      what earlier runs give
==========  ================================================================================
"""
