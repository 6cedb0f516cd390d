"""What a participant owes and gets: their day, their intervals in energy and money, the lines of their bill."""
