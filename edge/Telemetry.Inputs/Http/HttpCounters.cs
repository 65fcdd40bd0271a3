namespace Telemetry.Inputs.Http;

/// <summary>
/// What the HTTP input has counted in this run of the process. Any thread may count; the sums are read one by one.
/// </summary>
internal sealed class HttpCounters
{
    private static readonly int[] Statuses =
        [200, 204, 400, 401, 404, 405, 408, 411, 413, 414, 415, 422, 429, 431, 500, 503, 505];

    // The last one is for every status that is not in the list.
    private readonly long[] _answers = new long[Statuses.Length + 1];
    private long _linesStored;
    private long _linesRefused;
    private long _repeats;
    private long _connectionsRefused;
    private long _bodiesCut;

    /// <summary>A request was answered so, or would have been, had its sender waited.</summary>
    public void Answered(int status) =>
        Interlocked.Increment(ref _answers[Array.IndexOf(Statuses, status) is >= 0 and var i ? i : Statuses.Length]);

    public void Lines(int stored, int refused)
    {
        Interlocked.Add(ref _linesStored, stored);
        Interlocked.Add(ref _linesRefused, refused);
    }

    /// <summary>A request was answered from memory, or by the one like it that was under way.</summary>
    public void Repeated() => Interlocked.Increment(ref _repeats);

    public void ConnectionRefused() => Interlocked.Increment(ref _connectionsRefused);

    /// <summary>A sender left in the middle of its body; nothing of it was stored.</summary>
    public void BodyCut() => Interlocked.Increment(ref _bodiesCut);

    public HttpInputStatus Read(int connections, long seriesCacheCleared) => new()
    {
        Answers =
        [
            .. Statuses.Select((status, i) => new StatusCount(status, Interlocked.Read(ref _answers[i]))),
            new StatusCount(0, Interlocked.Read(ref _answers[^1])),
        ],
        LinesStored = Interlocked.Read(ref _linesStored),
        LinesRefused = Interlocked.Read(ref _linesRefused),
        Repeats = Interlocked.Read(ref _repeats),
        Connections = connections,
        ConnectionsRefused = Interlocked.Read(ref _connectionsRefused),
        BodiesCut = Interlocked.Read(ref _bodiesCut),
        SeriesCacheCleared = seriesCacheCleared,
    };
}
