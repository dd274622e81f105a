"""What the command lines of all packages share.

============  ================================================================================
`command`     complaints of one sentence, exit status 2, readers that leave early
`interrupts`  Ctrl-C and SIGTERM, none of them lost
`files`       files written whole or not at all
`words`       amounts, times and sentences as people read them
`names`       safe names of directories and files; control characters shown
`reading`     files that are read whole: regular ones, of a bounded size
`tables`      rows of plain values as text, Markdown and JSON
`scores`      what a score's standard error and a share's interval are
============  ================================================================================
"""
