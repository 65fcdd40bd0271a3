using System.Collections.Concurrent;
using Npgsql;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>
/// How long readings take from where they are sent until SQL shows them, and whose the partition is meanwhile: one
/// connection looks all the time.
/// </summary>
internal sealed class StoreDelays(string connectionString)
{
    private const string Sql = """
        SELECT g.gateway, g.stored, p.token, p.lease_until > clock_timestamp()
        FROM telemetry.gateway g JOIN telemetry.partition p USING (partition)
        """;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, ConcurrentQueue<(long Total, long At)>> _sent = [];
    private readonly List<double> _seconds = [];
    private readonly HashSet<long> _tokens = [];

    /// <summary>The tokens that the partitions' rows had.</summary>
    public IReadOnlyCollection<long> Tokens => _tokens;

    /// <summary>Rows of gateways whose partition's lease had run out, over all looks.</summary>
    public int LooksWithoutLease { get; private set; }

    /// <summary>The seconds of each frame.</summary>
    public IReadOnlyList<double> Seconds => _seconds;

    /// <summary>A gateway sends a frame now, after which it has sent so many readings.</summary>
    public void Sending(string gateway, long total) =>
        _sent.GetOrAdd(gateway, _ => []).Enqueue((total, TimeProvider.System.GetTimestamp()));

    /// <summary>Looks until it is cancelled.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        while (!cancellationToken.IsCancellationRequested)
        {
            await LookAsync(connection);
            await Task.Delay(LookEvery, CancellationToken.None);
        }
    }

    public void Report(ITestOutputHelper output)
    {
        var sorted = _seconds.Order().ToArray();
        output.WriteLine(
            $"{sorted.Length} live frames of others: in SQL after {sorted[sorted.Length / 2]:0.000} s in the middle, "
            + $"{sorted[sorted.Length * 99 / 100]:0.000} s (99 %), {sorted[^1]:0.000} s at most");
    }

    private async Task LookAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            _tokens.Add(reader.GetInt64(2));
            LooksWithoutLease += reader.GetBoolean(3) ? 0 : 1;
            if (_sent.TryGetValue(reader.GetString(0), out var frames))
            {
                while (frames.TryPeek(out var frame) && frame.Total <= reader.GetInt64(1))
                {
                    frames.TryDequeue(out _);
                    _seconds.Add(TimeProvider.System.GetElapsedTime(frame.At).TotalSeconds);
                }
            }
        }
    }
}
