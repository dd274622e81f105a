"""Does the order of scores agree with the published errors?

==============  ======================================================================================================
`run`           scores landmarks, and can be continued; `scores`: what it keeps
`report`        what was measured and what follows, as values and JSON; `network`: of one; `text`: as tables and files
`rankings`      the statistics: plain numbers; `regret`: in brackets of like cost
`baselines`     what a score has to beat: counts, and a `regression` on them
`ranking_sets`  which published errors can stand in one ranking
`shipped`       what is known of a recipe on some data
==============  ======================================================================================================
"""
