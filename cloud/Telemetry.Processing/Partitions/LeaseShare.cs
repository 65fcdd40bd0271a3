using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// How many partitions a worker should hold: of those that it asks for, its process' part, rounded up, when all
/// processes that are alive hold the same. Workers of one process ask for different partitions, so processes are what
/// is counted.
/// </summary>
internal sealed class LeaseShare(ProcessorOptions options)
{
    private IReadOnlyList<LiveWorker> _others = [];
    private int _alive = 1;

    /// <summary>The partitions that this worker asks for.</summary>
    public IReadOnlyList<int> Mine { get; } =
        [.. Enumerable.Range(0, options.Partitions).Where(p => p % options.Workers == options.Worker)];

    /// <summary>The partitions that this worker should hold at most while others have less than theirs.</summary>
    public int Size => Part(Mine.Count);

    /// <summary>What this worker says of itself.</summary>
    public LiveWorker Self(int held) => new(options.Owner, options.Worker, options.Workers, held);

    /// <summary>Notes who is alive.</summary>
    public void Saw(LeaseLook look)
    {
        _others = [.. look.Workers.Where(w => w.Owner != options.Owner)];
        _alive = 1 + _others.Select(w => w.Owner).Distinct().Count();
    }

    /// <summary>True when another process' worker asks for the partition and holds less than its share.</summary>
    public bool IsWanted(int partition) => _others.Any(w => w.AsksFor(partition) && w.Held < Part(CountOf(w)));

    /// <summary>
    /// True when this worker, holding so many, may take a partition that is free. What nobody else wants it takes
    /// beyond its share too: a partition is never left alone.
    /// </summary>
    public bool MayTake(int partition, int held) => held < Size || !IsWanted(partition);

    private int Part(int partitions) => (partitions + _alive - 1) / _alive;

    private int CountOf(LiveWorker worker) => Enumerable.Range(0, options.Partitions).Count(worker.AsksFor);
}
