{{ linear_repeated(ref('linear_cycle_daily'), ['cycle_id', 'day']) }}
