"""What top-1 error a network is expected to reach, from published errors and what is known of it without training.

===============  ================================================================================
`truth`          published errors by recipe; `more_figures`: those that are of no landmark
`evidence`       what is known of a network without training it: exact counts
`covariance`     which networks are alike, part by part
`model`          the joint Gaussian model: fitted to the truth, it gives an error and its interval
`fidelities`     scores (proxies, untrained measures) as further fidelities, weighted by the truth
`expect`         the model fitted to all published errors of a target, for any configurations
`crossvalidate`  the model on networks, families and recipes that it has not seen
`report`         how good it is there, beside simpler rules, as values and tables
`trust`           the same in one sentence, for families that it has not seen
===============  ================================================================================
"""
