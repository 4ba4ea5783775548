"""What a log costs: requests that are counted from what the code does, and prices that somebody has to name.

    requests  how many requests one run makes, by the sizes before and after it
    month     the requests of a month, and what they cost

All of it computes: nothing is read, and no clock is asked. `tests/cost` counts the requests of real runs beside it.
"""
