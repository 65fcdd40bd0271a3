using Npgsql;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Alerts;

/// <summary>
/// Judges what left (G7): each transition of the alert outbox stands in Kafka's topic once for a read_committed
/// consumer, and what stands there and in the database no more is listed.
/// </summary>
/// <param name="InDatabase">Transitions of the alert outbox.</param>
/// <param name="InTopic">Records that a read_committed consumer sees.</param>
/// <param name="Faults">What is wrong; empty when nothing is.</param>
/// <param name="NotJudged">What this broker cannot be asked; empty for a real one.</param>
public sealed record AlertVerdict(
    int InDatabase, int InTopic, IReadOnlyList<string> Faults, IReadOnlyList<string> NotJudged)
{
    /// <summary>
    /// The mock cluster shows a read_committed consumer the records of transactions that were aborted too: a relay that
    /// is killed leaves some, which a real broker would hide.
    /// </summary>
    private static readonly string[] BeyondTheMock =
    [
        "whether an alert stands in the topic more than once (the mock shows aborted transactions)",
        "whether an alert stands in the topic and in the database no more, unlisted (for the same reason)",
    ];

    private const int NamedMax = 5;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until the relay has published everything, and judges.</summary>
    public static async Task<AlertVerdict> ReadAsync(
        string database, AlertBroker broker, TimeSpan within, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        for (var until = DateTimeOffset.UtcNow + within; await WaitingAsync(
            source, cancellationToken) is > 0 and var waiting;)
        {
            if (DateTimeOffset.UtcNow > until)
            {
                return new AlertVerdict(
                    0, 0, [$"the relay has {waiting} partitions with alerts still to publish after {within}"], []);
            }

            await Task.Delay(LookEvery, cancellationToken);
        }

        var stored = await IdsAsync(source, "SELECT id FROM telemetry.alert_outbox", cancellationToken);
        var listed = await IdsAsync(source, "SELECT id FROM telemetry.alert_orphan", cancellationToken);
        var sent = TopicConsumer.ReadAll(broker.Servers, broker.Topic, committedOnly: true)
            .CountBy(alert => alert.Headers["ce_id"]).ToDictionary();
        return Judge(stored, listed, sent, broker.IsReal);
    }

    /// <summary>Judges ids of the database, of its list of orphans, and how often each stands in the topic.</summary>
    public static AlertVerdict Judge(
        IReadOnlySet<string> stored, IReadOnlySet<string> listed, IReadOnlyDictionary<string, int> sent, bool isReal)
    {
        var twice = sent.Where(s => s.Value > 1).Select(s => s.Key).ToList();
        var missing = stored.Where(id => !sent.ContainsKey(id)).ToList();
        var unknown = sent.Keys.Where(id => !stored.Contains(id) && !listed.Contains(id)).ToList();
        return new AlertVerdict(
            stored.Count,
            sent.Values.Sum(),
            [
                .. Fault(missing, "stand in the database and not in the topic"),
                .. isReal ? Fault(twice, "stand in the topic more than once") : [],
                .. isReal ? Fault(unknown, "stand in the topic, not in the database, and are not listed") : [],
            ],
            isReal ? [] : BeyondTheMock);
    }

    private static IEnumerable<string> Fault(List<string> ids, string what) =>
        ids.Count == 0 ? [] : [$"{ids.Count} alerts {what}: {string.Join(", ", ids.Take(NamedMax))}"];

    private static async Task<long> WaitingAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("""
            SELECT count(*) FROM telemetry.partition p LEFT JOIN telemetry.relay_position r USING (partition)
            WHERE p.alert_number > coalesce(r.number, 0)
            """);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<HashSet<string>> IdsAsync(
        NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new HashSet<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetString(0));
        }

        return ids;
    }
}
