using Telemetry.Model.Identity;
using Telemetry.Processing.Windows;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// A partition that this process owns: its row as it is in the database, its two streams, and the memory of its
/// gateways. When the compare-and-set fails, all of it is discarded.
/// </summary>
internal sealed class PartitionOwner(
    PartitionRow row, PartitionStream live, PartitionStream backlog, IAsyncDisposable hellos)
    : IAsyncDisposable
{
    private readonly Dictionary<GatewayId, GatewayMemory> _gateways = [];
    private readonly Dictionary<GatewayId, GatewayWindows> _windows = [];

    /// <summary>The partition's row as it is in the database.</summary>
    public PartitionRow Row { get; private set; } = row;

    public PartitionStream Live => live;

    public PartitionStream Backlog => backlog;

    /// <summary>
    /// Hellos whose missing ranges are booked as lost after the position has passed the streams' ends.
    /// </summary>
    public Dictionary<GatewayId, PendingLoss> Losses { get; } = [];

    /// <summary>Hellos that wait until the streams' ends are read.</summary>
    public StreamEnds Ends { get; } = new(live, backlog);

    /// <summary>Gateways in memory.</summary>
    public IReadOnlyDictionary<GatewayId, GatewayMemory> Gateways => _gateways;

    /// <summary>
    /// Since when both streams have been read, and no reading of their ends has failed; null while one is not read.
    /// </summary>
    public long? ReadableSinceTimestamp => live.Running && backlog.Running
        ? Math.Max(Math.Max(live.BegunAtTimestamp, backlog.BegunAtTimestamp), Ends.RetryAtTimestamp) : null;

    /// <summary>
    /// The parts of windows that are in memory alone. They outlast a transaction that failed, and the memory of the
    /// gateway's ledger, as long as the partition's row is as it is remembered.
    /// </summary>
    public IReadOnlyDictionary<GatewayId, GatewayWindows> Windows => _windows;

    /// <summary>True once it is known which gateways have windows whose parts were in memory alone.</summary>
    public bool OpenGatewaysKnown { get; set; }

    /// <summary>True once the gateways are in memory whose alert rules must be run again.</summary>
    public bool AlertGapsKnown { get; set; }

    /// <summary>True when a stream's position is not yet in the database.</summary>
    public bool Moved => live.Position != Row.Live || backlog.Position != Row.Backlog;

    /// <summary>
    /// Adds a gateway to the memory. Returns false when its row names another partition: its ledger may then be in
    /// another owner's memory, and nothing of it may be written here.
    /// </summary>
    public bool Load(GatewayRecord record)
    {
        if (record.Gateway is { } known && known.Partition != Row.Partition)
        {
            return false;
        }

        var span = record.Gateway?.OpenWindows ?? OpenSpan.None;
        if (!_windows.TryGetValue(record.Id, out var windows) || windows.Span != span)
        {
            _windows[record.Id] = windows = new GatewayWindows(record.Id, span);
        }

        _gateways[record.Id] = new GatewayMemory(record, Row.Partition, windows);
        return true;
    }

    /// <summary>The newest row of the alert outbox, including those of the current transaction.</summary>
    public AlertHead Alerts { get; private set; } = row.Alerts;

    /// <summary>Gives a transition the next number of the partition's alert outbox.</summary>
    public AlertOutboxRow Number(AlertTransition transition)
    {
        var json = transition.ToJson();
        Alerts = Alerts.Next(json);
        return new AlertOutboxRow(Row.Partition, Alerts, transition.Id, json);
    }

    /// <summary>What the next transaction expects of the row, and what it changes in it.</summary>
    public PartitionStep Step(TimeSpan lease) => new(Row, live.Position, backlog.Position, Alerts, lease);

    /// <summary>The transaction committed.</summary>
    public void Committed() => Row = Row with
    {
        Commits = Row.Commits + 1,
        Live = live.Position,
        Backlog = backlog.Position,
        Alerts = Alerts,
    };

    /// <summary>The transaction did not commit: resets memory to the database's state.</summary>
    public async ValueTask RollBackAsync()
    {
        await live.StopAsync();
        await backlog.StopAsync();
        live.Position = Row.Live;
        backlog.Position = Row.Backlog;
        Alerts = Row.Alerts;
        _gateways.Clear();
        AlertGapsKnown = false;
    }

    /// <summary>Forgets gateways beyond the limit; they are loaded again when needed.</summary>
    public void Trim(int gatewaysMax)
    {
        if (_gateways.Count > gatewaysMax)
        {
            foreach (var gateway in _gateways.Keys.Take(_gateways.Count - gatewaysMax * 3 / 4).ToArray())
            {
                // A gateway with parts in memory stays until they are written; one that must be rebuilt, until then.
                if (_windows[gateway] is { IsEmpty: false } windows)
                {
                    windows.WriteAll = true;
                }
                else if (_gateways[gateway].AlertRun is null)
                {
                    _gateways.Remove(gateway);
                    _windows.Remove(gateway);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await hellos.DisposeAsync();
        await live.DisposeAsync();
        await backlog.DisposeAsync();
    }
}
