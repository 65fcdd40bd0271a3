using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// The partitions that this processor owns: adopts those whose lease was taken, starts their streams, gives them up and
/// gives them back. It never asks the database for a lease: <see cref="LeaseLoop"/> does, beside the rounds. Used on
/// the processor's thread.
/// </summary>
internal sealed class OwnedPartitions(
    IStore store, IFrameLog log, IControlChannel control, ProcessorOptions options, TimeProvider time, ILogger logger,
    ReportedFailure reading, ProcessorCounters counters, Signal signal,
    Action<int, GatewayId, ReadOnlyMemory<byte>> arrived)
{
    private readonly SortedDictionary<int, PartitionOwner> _owners = [];
    private readonly Queue<PartitionRow> _taken = [];
    private readonly Queue<int> _leaving = [];
    private readonly Queue<PartitionRow> _left = [];
    private readonly StreamLags _lags = new(options.Lag, time, logger);
    private long _lookedAt = time.GetTimestamp();
    private bool _installationChecked = true;
    private Task? _looking;

    /// <summary>All owned partitions, by number.</summary>
    public IReadOnlyCollection<PartitionOwner> All => _owners.Values;

    /// <summary>When the leases were last renewed; before the first renewal, when the first lease was taken.</summary>
    public long RenewedAt { get; set; }

    /// <summary>How many leases are held, adopted or not.</summary>
    public int Held => _owners.Count + _taken.Count;

    /// <summary>Called when a lease should be asked for, or given back, at once.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Finds the owner of a partition, if this processor owns it.</summary>
    public bool TryGet(int partition, out PartitionOwner owner) => _owners.TryGetValue(partition, out owner!);

    /// <summary>True when the partition's lease is held, adopted or not, or still has to be given back.</summary>
    public bool Holds(int partition) =>
        _owners.ContainsKey(partition) || _taken.Concat(_left).Any(row => row.Partition == partition);

    /// <summary>The owner of a gateway's partition.</summary>
    public PartitionOwner OwnerOf(GatewayId gateway) => _owners[gateway.Partition(options.Partitions)];

    /// <summary>A lease was taken: the next round adopts the partition.</summary>
    public void Take(PartitionRow row)
    {
        _taken.Enqueue(row);
        signal.Set();
    }

    /// <summary>Asks the next round to let a partition go; after that its lease is given back.</summary>
    public void Leave(int partition)
    {
        _leaving.Enqueue(partition);
        signal.Set();
    }

    /// <summary>Takes a partition that was let go and whose lease must be given back.</summary>
    public bool TryTakeLeft(out PartitionRow row) => _left.TryDequeue(out row!);

    /// <summary>
    /// Lets partitions go as asked, and adopts those that were taken. Called between two transactions, when memory
    /// equals the database's state. <paramref name="handOver"/> is called for each owner before it goes.
    /// </summary>
    public async Task AdoptAsync(Func<PartitionOwner, Task> handOver, CancellationToken cancellationToken)
    {
        while (_leaving.TryDequeue(out var partition))
        {
            if (_owners.TryGetValue(partition, out var owner))
            {
                await handOver(owner);
                _owners.Remove(partition);
                await ForgetAsync(owner);
                _left.Enqueue(owner.Row);
                ProcessingLog.LeaseGivenBack(logger, partition);
                Changed();
            }
        }

        while (_taken.TryPeek(out var row))
        {
            _installationChecked = false;
            await OwnAsync(row, cancellationToken);
            _taken.Dequeue();
        }

        counters.Partitions = _owners.Count;
        await CheckInstallationAsync(cancellationToken);
    }

    /// <summary>
    /// Compares the installation's facts, after leases were taken and not before: a repartition gives every partition's
    /// row a new token in the transaction that changes the facts. So either that token makes our next commit fail, or
    /// we see the new facts here. Throws <see cref="InstallationException"/>, which ends the process.
    /// </summary>
    private async Task CheckInstallationAsync(CancellationToken cancellationToken)
    {
        if (_installationChecked)
        {
            return;
        }

        if (log.Facts is { } facts
            && await store.InstallAsync(facts, cancellationToken) is var standing && standing != facts)
        {
            throw InstallationException.Changed(facts, standing, InstallationException.InDatabase);
        }

        _installationChecked = true;
    }

    private async Task OwnAsync(PartitionRow row, CancellationToken cancellationToken)
    {
        var hellos = await control.ServeHellosAsync(
            row.Partition, (gateway, bytes) => arrived(row.Partition, gateway, bytes), cancellationToken);
        // The leases held before are unchanged: this one does not show that they were renewed.
        RenewedAt = _owners.Count == 0 ? time.GetTimestamp() : RenewedAt;
        _owners[row.Partition] = new PartitionOwner(
            row,
            new PartitionStream(log, row.Partition, StreamKind.Live, signal) { Position = row.Live },
            new PartitionStream(log, row.Partition, StreamKind.Backlog, signal) { Position = row.Backlog },
            hellos);
        ProcessingLog.LeaseTaken(logger, row.Partition, row.Commits, row.Live.Sequence, row.Backlog.Sequence);
    }

    /// <summary>Starts every stream that is not running, with its position checked against the log.</summary>
    public async Task BeginFeedsAsync(CancellationToken cancellationToken)
    {
        foreach (var owner in _owners.Values)
        {
            await BeginAsync(owner, owner.Live, cancellationToken);
            await BeginAsync(owner, owner.Backlog, cancellationToken);
        }

        if (_owners.Values.All(o => o.Live.Running && o.Backlog.Running))
        {
            reading.Worked();
        }
    }

    private async Task BeginAsync(PartitionOwner owner, PartitionStream stream, CancellationToken cancellationToken)
    {
        if (stream.Running || time.GetTimestamp() < stream.RetryAtTimestamp)
        {
            return;
        }

        try
        {
            var before = stream.Position;
            var moved = await stream.BeginAsync(cancellationToken);
            stream.BegunAtTimestamp = time.GetTimestamp();
            if (moved && before != StreamPosition.None)
            {
                counters.Rewinds++;
                ProcessingLog.Rewound(
                    logger, stream.StreamName, before.Sequence, stream.Position.Sequence);
            }
        }
        catch (FrameLogException e)
        {
            reading.Failed(e.Message);
            stream.RetryAtTimestamp = time.GetTimestamp()
                + (long)(options.RetryAfter.TotalSeconds * time.TimestampFrequency);
        }
    }

    /// <summary>
    /// Looks at the streams at intervals, beside the transactions: how far they are behind, and, where
    /// <paramref name="trims"/> says that the database has just committed, whether one that runs short of bytes needs
    /// room. What the database has by now is durable.
    /// </summary>
    public void LookAtLogs(bool trims, CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(_lookedAt) < options.TrimEvery * (trims ? 1 : 2) || _looking is { IsCompleted: false })
        {
            return;
        }

        _lookedAt = time.GetTimestamp();
        _looking = LookAtAllAsync(
            [.. _owners.Values.Select(o => (o, o.Row.Live, o.Row.Backlog))], trims, cancellationToken);
    }

    private async Task LookAtAllAsync(
        (PartitionOwner Owner, StreamPosition Live, StreamPosition Backlog)[] durable, bool trims,
        CancellationToken cancellationToken)
    {
        var rows = new List<StreamLagRow>();
        try
        {
            foreach (var (owner, live, backlog) in durable)
            {
                rows.Add(await LookAsync(owner, owner.Live, live, trims, cancellationToken));
                rows.Add(await LookAsync(owner, owner.Backlog, backlog, trims, cancellationToken));
            }

            counters.Lags = rows;
            await store.RecordLagAsync(rows, cancellationToken);
        }
        catch (FrameLogException e)
        {
            reading.Failed(e.Message);
        }
        catch (StoreException)
        {
            // The next commit reports it; these rows are for people, and come again.
        }
        catch (OperationCanceledException)
        {
            // The processor is stopping.
        }
    }

    private async Task<StreamLagRow> LookAsync(
        PartitionOwner owner, PartitionStream stream, StreamPosition durable, bool trims,
        CancellationToken cancellationToken)
    {
        var state = await stream.StateAsync(cancellationToken);
        var lag = await _lags.LookAsync(owner.Row.Partition, stream, state, durable, cancellationToken);
        if (trims && await stream.TrimAsync(state, durable, options.StreamFullPercent, cancellationToken)
            is > 0 and var below)
        {
            counters.Purges++;
            ProcessingLog.Purged(logger, stream.StreamName, options.StreamFullPercent, below);
        }

        return lag;
    }

    /// <summary>
    /// Resets memory to the database's state. The partitions for which <paramref name="forget"/> returns true are no
    /// longer owned; their leases are taken again, with new tokens.
    /// </summary>
    public async Task GiveUpAsync(Func<int, bool> forget)
    {
        foreach (var (partition, owner) in _owners.ToArray())
        {
            if (forget(partition))
            {
                _owners.Remove(partition);
                await ForgetAsync(owner);
                Changed();
            }
            else
            {
                await owner.RollBackAsync();
            }
        }

        counters.Partitions = _owners.Count;
    }

    /// <summary>Lets all partitions go; returns the leases that must be given back.</summary>
    public async Task<IReadOnlyList<PartitionRow>> LeaveAllAsync()
    {
        var rows = _taken.Concat(_left).Concat(_owners.Values.Select(o => o.Row)).ToArray();
        foreach (var owner in _owners.Values)
        {
            await ForgetAsync(owner);
        }

        _owners.Clear();
        _taken.Clear();
        _left.Clear();
        counters.Partitions = 0;
        return rows;
    }

    private ValueTask ForgetAsync(PartitionOwner owner)
    {
        counters.Windows.Open -= owner.Windows.Values.Sum(w => w.Count);
        _lags.Forget(owner.Row.Partition);
        return owner.DisposeAsync();
    }
}
