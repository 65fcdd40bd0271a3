namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>How fast chunks grow.</summary>
internal static class ChunkRates
{
    /// <summary>A rate over less than this is chance.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <summary>
    /// The bytes a second, in row form and by event time, of the fastest chunk of the last week; zero without one.
    /// </summary>
    public static double Greatest(IEnumerable<Chunk> chunks, DateTime now) => chunks
        .Where(chunk => chunk.To > now - Week && chunk.From <= now - Least)
        .Select(chunk => (chunk.RowBytes + chunk.ConvertedBytes) / (Earlier(chunk.To, now) - chunk.From).TotalSeconds)
        .DefaultIfEmpty()
        .Max();

    private static DateTime Earlier(DateTime a, DateTime b) => a < b ? a : b;
}
