using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// How many partitions a worker should hold: its process's part, rounded up, of the partitions that it asks for, so
/// that all live processes hold the same number. Workers of one process ask for different partitions, so processes are
/// counted, not workers.
/// </summary>
internal sealed class LeaseShare(ProcessorOptions options)
{
    private IReadOnlyList<LiveWorker> _others = [];
    private int _alive = 1;

    /// <summary>The partitions that this worker asks for.</summary>
    public IReadOnlyList<int> Mine { get; } =
        [.. Enumerable.Range(0, options.Partitions).Where(p => p % options.Workers == options.Worker)];

    /// <summary>The most partitions that this worker should hold while others have less than their share.</summary>
    public int Size => Part(Mine.Count);

    /// <summary>What this worker reports about itself.</summary>
    public LiveWorker Self(int held) => new(options.Owner, options.Worker, options.Workers, held);

    /// <summary>Records which workers are alive.</summary>
    public void Saw(LeaseLook look)
    {
        _others = [.. look.Workers.Where(w => w.Owner != options.Owner)];
        _alive = 1 + _others.Select(w => w.Owner).Distinct().Count();
    }

    /// <summary>True when a worker of another process asks for the partition and holds less than its share.</summary>
    public bool IsWanted(int partition) => _others.Any(w => w.AsksFor(partition) && w.Held < Part(CountOf(w)));

    /// <summary>
    /// True when this worker, with the given number of partitions, may take a free one. It takes a partition that
    /// nobody else wants even beyond its share, so that no partition stays without an owner.
    /// </summary>
    public bool MayTake(int partition, int held) => held < Size || !IsWanted(partition);

    private int Part(int partitions) => (partitions + _alive - 1) / _alive;

    private int CountOf(LiveWorker worker) => Enumerable.Range(0, options.Partitions).Count(worker.AsksFor);
}
