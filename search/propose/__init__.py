"""Which network next?

==========  ================================================================================
`proposer`  `Proposer`: of a sampler, a neighbour of the best, an earlier run
`samplers`  Optuna's samplers over the axes; `suggest`: axes as parameters, and back
`warm`      what earlier runs give
`rungs`     frontier-aware early stopping, as a pure rule
`sweep`     listed networks in place of samples; `listed` gives them to the loop
==========  ================================================================================
"""
