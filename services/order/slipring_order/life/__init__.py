"""What happens to an exam between order and report, by whichever road."""
