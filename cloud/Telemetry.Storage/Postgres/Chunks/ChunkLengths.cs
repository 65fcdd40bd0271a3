namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>
/// How long the chunks of a hypertable should be: as long as the fastest chunk of the last week allows without getting
/// larger than wanted, within an hour and seven days. A chunk that is open is scanned as a whole.
/// </summary>
internal static class ChunkLengths
{
    /// <summary>The part of a chunk that must have passed before its rate is believed.</summary>
    private const double EnoughOfAChunk = 0.5;

    /// <summary>How full a longer chunk may get at most, so that lengths do not alternate.</summary>
    private const double FullEnough = 0.7;

    /// <summary>All lengths, the shortest first. Each begins at midnight or divides the day.</summary>
    public static readonly IReadOnlyList<TimeSpan> All =
    [
        .. new[] { 1, 2, 3, 4, 6, 8, 12, 24, 48, 168 }.Select(hours => TimeSpan.FromHours(hours)),
    ];

    /// <summary>
    /// The length of the chunks that are made from now on. It gets shorter at once, and longer step by step: by one
    /// step once half of a chunk of the present length has passed.
    /// </summary>
    /// <param name="present">The length of new chunks at present.</param>
    /// <param name="open">The length of the chunk that contains now, and how much of it has passed; null where there is
    /// none.</param>
    /// <param name="bytesPerSecond">The rate of the fastest chunk of the last week, in row form.</param>
    /// <param name="wanted">How many bytes a chunk should have in row form.</param>
    public static TimeSpan Next(
        TimeSpan present, (TimeSpan Length, TimeSpan Passed)? open, double bytesPerSecond, long wanted)
    {
        var longest = Longest(bytesPerSecond, wanted);
        if (longest < present)
        {
            return longest;
        }

        // A chunk that was made before the last change, or cut by its neighbours, says nothing of the present length.
        var isKnown = open is var (length, passed) && length == present && passed >= present * EnoughOfAChunk;
        var next = All.FirstOrDefault(one => one > present, present);
        return isKnown && next <= Longest(bytesPerSecond, (long)(wanted * FullEnough)) ? next : present;
    }

    private static TimeSpan Longest(double bytesPerSecond, long wanted) =>
        All.LastOrDefault(length => bytesPerSecond * length.TotalSeconds <= wanted, All[0]);
}
