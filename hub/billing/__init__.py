"""A participant's energy and money: the day, the intervals and the lines of the bill."""
