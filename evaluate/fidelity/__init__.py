"""Does the order of scores agree with the published errors?

==============  ================================================================================
`run`           scores landmarks, and can be continued; `scores`: what it keeps
`report`        what was measured, as values, JSON and tables
`rankings`      the statistics: plain numbers
`ranking_sets`  which published errors can stand in one ranking
`shipped`       what is known of a recipe on some data
==============  ================================================================================
"""
