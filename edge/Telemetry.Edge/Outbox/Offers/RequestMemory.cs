namespace Telemetry.Edge.Outbox.Offers;

/// <summary>
/// The requests that are remembered, oldest first. Their age is measured by the monotonic clock and starts at zero when
/// the outbox is opened: a gateway's time of day may jump by decades when it reaches its time server, and that must not
/// make it forget a request too early.
/// </summary>
internal sealed class RequestMemory
{
    // Limits the size of a commit when all requests of a day expire together.
    private const int ExpiredMax = 1024;

    private readonly Dictionary<UInt128, Entry> _byKey = [];
    private readonly Queue<Entry> _oldest = new();
    private readonly OutboxOptions _options;
    private readonly TimeProvider _time;
    private long _orderLast;

    public RequestMemory(IReadOnlyList<RequestRow> rows, OutboxOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        foreach (var row in rows)
        {
            Add(row);
        }
    }

    /// <summary>The number of requests.</summary>
    public int Count => _oldest.Count;

    /// <summary>How many were forgotten early since this outbox was opened.</summary>
    public long ForgottenEarly { get; private set; }

    /// <summary>How many there are, how many were forgotten early, and whether one more can be remembered.</summary>
    public (int Remembered, long ForgottenEarly, bool Room) Look(int waiting) =>
        (Count, ForgottenEarly, Refusal(waiting) is null);

    /// <summary>
    /// Why one more cannot be remembered while <paramref name="waiting"/> are under way; null when it can.
    /// </summary>
    public string? Refusal(int waiting) =>
        _options.RequestsFull == RequestsFull.Refuse && Count + waiting >= _options.RequestsMax && !IsExpired(waiting)
            ? $"{_options.RequestsMax} requests are remembered already (outbox.requestsMax), the oldest for less than "
                + $"{_options.RequestsKept} (outbox.requestsKept)"
            : null;

    /// <summary>
    /// The request of a key, the newest one if there are several; null when there is none, or none that was remembered
    /// within <paramref name="within"/>.
    /// </summary>
    public AnsweredRequest? Find(UInt128 key, TimeSpan? within) =>
        _byKey.TryGetValue(key, out var entry) && (within is not { } span || Age(entry) < span)
            ? entry.Request : null;

    /// <summary>The rows of a commit.</summary>
    public List<RequestRow> Rows(IReadOnlyList<AnsweredRequest> requests)
    {
        var rows = new List<RequestRow>(requests.Count);
        foreach (var request in requests)
        {
            rows.Add(new RequestRow(_orderLast + rows.Count + 1, request));
        }

        return rows;
    }

    /// <summary>The last order to forget in a commit that adds the given number of requests; 0 for none.</summary>
    public long ForgetTo(int adding)
    {
        var over = Count + adding - _options.RequestsMax;
        var forgotten = 0;
        var last = 0L;
        foreach (var entry in _oldest)
        {
            if (forgotten >= over && (forgotten >= ExpiredMax || Age(entry) < _options.RequestsKept))
            {
                break;
            }

            last = entry.Order;
            forgotten++;
        }

        return last;
    }

    /// <summary>The commit is durable.</summary>
    public void Committed(IReadOnlyList<RequestRow> rows, long forgottenTo)
    {
        while (_oldest.TryPeek(out var entry) && entry.Order <= forgottenTo)
        {
            _oldest.Dequeue();
            ForgottenEarly += Age(entry) < _options.RequestsKept ? 1 : 0;
            if (_byKey.TryGetValue(entry.Request.Key, out var newest) && newest.Order == entry.Order)
            {
                _byKey.Remove(entry.Request.Key);
            }
        }

        foreach (var row in rows)
        {
            Add(row);
        }
    }

    private bool IsExpired(int waiting) =>
        waiting < Count && Age(_oldest.ElementAt(waiting)) >= _options.RequestsKept;

    private TimeSpan Age(Entry entry) => _time.GetElapsedTime(entry.Since);

    private void Add(RequestRow row)
    {
        var entry = new Entry(row.Order, row.Request, _time.GetTimestamp());
        _byKey[row.Request.Key] = entry;
        _oldest.Enqueue(entry);
        _orderLast = row.Order;
    }

    private sealed record Entry(long Order, AnsweredRequest Request, long Since);
}
