using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Installations;
using Telemetry.Cloud.Log;
using Telemetry.Cloud.Storage;
using Telemetry.Model;

namespace Telemetry.Cloud.Processing;

/// <summary>
/// The partitions that this processor owns by lease: takes leases, begins feeds, gives up and gives back. One thread,
/// the processor's.
/// </summary>
internal sealed class OwnedPartitions(
    IStore store, ILog log, IBus bus, ProcessorOptions options, TimeProvider time, Random random, ILogger logger,
    ProcessorCounters counters, Signal signal, Action<int, GatewayId, ReadOnlyMemory<byte>> arrived)
{
    private readonly int[] _mine =
        [.. Enumerable.Range(0, options.Partitions).Where(p => p % options.Workers == options.Worker)];

    private readonly SortedDictionary<int, PartitionOwner> _owners = [];
    private readonly Dictionary<int, long> _leaseRetry = [];
    private long _trimmedAt = time.GetTimestamp();
    private bool _installationChecked = true;
    private Task? _trimming;

    /// <summary>Everything owned, in partition order.</summary>
    public IReadOnlyCollection<PartitionOwner> All => _owners.Values;

    /// <summary>True when no lease is left to ask for.</summary>
    public bool Complete => _owners.Count == _mine.Length;

    /// <summary>When the leases were last taken or renewed.</summary>
    public long RenewedAt { get; set; }

    /// <summary>The owner of a partition, where that is this processor.</summary>
    public bool TryGet(int partition, out PartitionOwner owner) => _owners.TryGetValue(partition, out owner!);

    /// <summary>The owner of a gateway's partition.</summary>
    public PartitionOwner OwnerOf(GatewayId gateway) => _owners[gateway.Partition(options.Partitions)];

    /// <summary>Asks for the leases that are not held, as often as the options say.</summary>
    public async Task TakeLeasesAsync(CancellationToken cancellationToken)
    {
        foreach (var partition in _mine)
        {
            if (_owners.ContainsKey(partition)
                || (_leaseRetry.TryGetValue(partition, out var at) && time.GetElapsedTime(at) < options.LeaseRetry))
            {
                continue;
            }

            _leaseRetry[partition] = time.GetTimestamp();
            var token = random.NextId();
            if (await store.TakeLeaseAsync(
                partition, token, options.Owner, options.Lease, cancellationToken) is { } row)
            {
                _installationChecked = false;
                await OwnAsync(row, cancellationToken);
            }
        }

        counters.Partitions = _owners.Count;
        await CheckInstallationAsync(cancellationToken);
    }

    /// <summary>
    /// After leases were taken, and not before: a repartition gives every partition's row a new token in the
    /// transaction that changes the facts. So either that token makes our next commit fail, or we see the new facts
    /// here. Throws <see cref="InstallationException"/>, which ends the process.
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
            throw InstallationException.Changed(facts, standing, InstallationStart.Database);
        }

        _installationChecked = true;
    }

    private async Task OwnAsync(PartitionRow row, CancellationToken cancellationToken)
    {
        var hellos = await bus.ServeHellosAsync(
            row.Partition, (gateway, bytes) => arrived(row.Partition, gateway, bytes), cancellationToken);
        _owners[row.Partition] = new PartitionOwner(
            row,
            new Feed(log, row.Partition, StreamKind.Live, signal) { Position = row.Live },
            new Feed(log, row.Partition, StreamKind.Backlog, signal) { Position = row.Backlog },
            hellos);
        RenewedAt = time.GetTimestamp();
        ProcessingLog.LeaseTaken(logger, row.Partition, row.Commits, row.Live.Sequence, row.Backlog.Sequence);
    }

    /// <summary>Begins every feed that is not running, its position checked against the log.</summary>
    public async Task BeginFeedsAsync(CancellationToken cancellationToken)
    {
        foreach (var owner in _owners.Values)
        {
            await BeginAsync(owner, owner.Live, cancellationToken);
            await BeginAsync(owner, owner.Backlog, cancellationToken);
        }
    }

    private async Task BeginAsync(PartitionOwner owner, Feed feed, CancellationToken cancellationToken)
    {
        if (feed.Running || time.GetTimestamp() < feed.RetryAtTimestamp)
        {
            return;
        }

        try
        {
            var before = feed.Position;
            if (await feed.BeginAsync(cancellationToken) && before != LogPosition.None)
            {
                counters.Rewinds++;
                ProcessingLog.Rewound(
                    logger, feed.StreamName, before.Sequence, feed.Position.Sequence);
            }
        }
        catch (LogException e)
        {
            ProcessingLog.LogFailed(logger, e);
            feed.RetryAtTimestamp = time.GetTimestamp()
                + (long)(options.RetryAfter.TotalSeconds * time.TimestampFrequency);
        }
    }

    /// <summary>
    /// Makes room in streams that run short of bytes, every now and then, beside the transactions: what the database
    /// has by now it has for good.
    /// </summary>
    public void TrimLogs(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(_trimmedAt) < options.TrimEvery || _trimming is { IsCompleted: false })
        {
            return;
        }

        _trimmedAt = time.GetTimestamp();
        _trimming = TrimAllAsync([.. _owners.Values.Select(o => (o, o.Row.Live, o.Row.Backlog))], cancellationToken);
    }

    private async Task TrimAllAsync(
        (PartitionOwner Owner, LogPosition Live, LogPosition Backlog)[] durable, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (owner, live, backlog) in durable)
            {
                await TrimAsync(owner, owner.Live, live, cancellationToken);
                await TrimAsync(owner, owner.Backlog, backlog, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The processor stops.
        }
    }

    private async Task TrimAsync(
        PartitionOwner owner, Feed feed, LogPosition durable, CancellationToken cancellationToken)
    {
        try
        {
            if (await feed.TrimAsync(durable, options.StreamFullPercent, cancellationToken) is > 0 and var below)
            {
                counters.Purges++;
                ProcessingLog.Purged(
                    logger, feed.StreamName, options.StreamFullPercent, below);
            }
        }
        catch (LogException e)
        {
            ProcessingLog.LogFailed(logger, e);
        }
    }

    /// <summary>
    /// Back to what the database has; with <paramref name="forget"/> the leases are taken anew, with new tokens.
    /// </summary>
    public async Task GiveUpAsync(bool forget)
    {
        foreach (var owner in _owners.Values)
        {
            if (forget)
            {
                await owner.DisposeAsync();
            }
            else
            {
                await owner.RollBackAsync();
            }
        }

        if (forget)
        {
            _owners.Clear();
            _leaseRetry.Clear();
        }
    }

    /// <summary>Gives the leases back, so that the next owner need not wait.</summary>
    public async Task ReleaseAsync()
    {
        foreach (var owner in _owners.Values)
        {
            await owner.DisposeAsync();
            try
            {
                await store.ReleaseLeaseAsync(owner.Row.Partition, owner.Row.Token, CancellationToken.None);
            }
            catch (StoreException e)
            {
                // It runs out by itself.
                ProcessingLog.StoreFailed(logger, e, e.IsDataFault, e.MayHaveCommitted);
            }
        }

        _owners.Clear();
    }
}
