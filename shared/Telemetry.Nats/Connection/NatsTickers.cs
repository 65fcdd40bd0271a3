namespace Telemetry.Nats;

/// <summary>Who wants to know the time at each tick of the connection's one timer. Thread-safe.</summary>
internal sealed class NatsTickers
{
    private readonly Lock _gate = new();
    private readonly List<Action<TimeSpan>> _tickers = [];

    public void Add(Action<TimeSpan> ticker)
    {
        lock (_gate)
        {
            _tickers.Add(ticker);
        }
    }

    public void Remove(Action<TimeSpan> ticker)
    {
        lock (_gate)
        {
            _tickers.Remove(ticker);
        }
    }

    /// <summary>Calls them outside of the lock: one may remove itself.</summary>
    public void Tick(TimeSpan now)
    {
        Action<TimeSpan>[] tickers;
        lock (_gate)
        {
            tickers = [.. _tickers];
        }

        foreach (var ticker in tickers)
        {
            ticker(now);
        }
    }
}
