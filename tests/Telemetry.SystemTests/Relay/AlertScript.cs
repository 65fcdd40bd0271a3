using Npgsql;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Relay;

/// <summary>
/// Plays the processor: appends transitions to the outbox of a few partitions, and after the database was put back
/// appends what the copy lacks again: most alike, some of them never, and new ones between, as an evaluation that
/// starts over may.
/// </summary>
internal sealed class AlertScript(int partitions, Random random)
{
    private readonly List<AlertOutboxRow>[] _rows =
        [.. Enumerable.Range(0, partitions).Select(_ => new List<AlertOutboxRow>())];
    private readonly Queue<AlertTransition>[] _again =
        [.. Enumerable.Range(0, partitions).Select(_ => new Queue<AlertTransition>())];
    private int _made;

    /// <summary>Ids of transitions that were written once and never come again.</summary>
    public HashSet<string> Forgotten { get; } = [];

    /// <summary>All ids that were ever written.</summary>
    public HashSet<string> Written { get; } = [];

    /// <summary>Ids of the present outbox.</summary>
    public IEnumerable<string> Present => _rows.SelectMany(r => r).Select(r => r.Id);

    /// <summary>Different transitions written so far.</summary>
    public int Count => Written.Count;

    /// <summary>True while transitions of before the put-back wait to be written again.</summary>
    public bool IsBehind => _again.Any(q => q.Count > 0);

    /// <summary>Appends up to so many transitions to one partition, in one transaction.</summary>
    public async Task AppendAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellationToken)
    {
        var partition = random.Next(partitions);
        var rows = new List<AlertOutboxRow>();
        var head = _rows[partition].Count == 0 ? AlertHead.None : _rows[partition][^1].Head;
        for (var count = random.Next(1, countMax + 1); rows.Count < count;)
        {
            // Now and then a new one comes between: from there on all chains differ.
            var transition = _again[partition].Count > 0 && random.Next(20) > 0
                ? _again[partition].Dequeue()
                : Next(partition);
            rows.Add(AlertSamples.Row(partition, head, transition));
            head = rows[^1].Head;
        }

        await ScriptedOutbox.AppendAsync(connection, rows, cancellationToken);
        _rows[partition].AddRange(rows);
        Written.UnionWith(rows.Select(r => r.Id));
    }

    // One instance a device, of one of three severities; a transition in five is late.
    private AlertTransition Next(int partition)
    {
        var transition = AlertSamples.Transition(partition, ++_made, story: 1);
        return transition with
        {
            Instance = $"instance of {transition.Device}",
            Severity = (_made % 3) switch { 0 => "critical", 1 => "warning", _ => "info" },
        };
    }

    /// <summary>
    /// The database holds so many rows of each partition now; of what it lacks a tenth never comes again.
    /// </summary>
    public async Task<int> PutBackAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var lacking = 0;
        for (var partition = 0; partition < partitions; partition++)
        {
            await using var command = new NpgsqlCommand(
                "SELECT coalesce(max(alert_number), 0) FROM telemetry.partition WHERE partition = $1", connection);
            command.Parameters.Add(new() { Value = partition });
            var held = (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
            var rows = _rows[partition];
            foreach (var row in rows.Skip(held))
            {
                lacking++;
                if (random.Next(10) == 0)
                {
                    Forgotten.Add(row.Id);
                }
                else
                {
                    _again[partition].Enqueue(AlertTransition.FromJson(row.Json.Span));
                }
            }

            rows.RemoveRange(held, rows.Count - held);
        }

        return lacking;
    }
}
