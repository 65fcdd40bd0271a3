using Telemetry.Model.Protocol;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>A message that was taken, and whose it is.</summary>
internal readonly record struct TakenMessage(PartitionOwner Owner, MessageKey Place, FrameLogMessage Message);

/// <summary>
/// Takes messages of all owned partitions for the transaction being built, in small slices of each in turn, and goes on
/// behind the partition that was served last: none waits for another. What is taken moves its feed's position, and so
/// must go into this transaction.
/// </summary>
internal sealed class BatchIntake(
    OwnedPartitions owned, DataFaultIsolator faults, ProcessorOptions options, ProcessorCounters counters,
    TransactionWeight weight)
{
    /// <summary>What a message weighs at least, in readings: its row in the register, or a dead letter.</summary>
    private const int WeightMin = 8;

    /// <summary>So many bytes weigh as much as one reading; plain columns have as many for each.</summary>
    private const int BytesOfReading = 16;

    private const int MessagesMax = 512, SliceMessages = 8, SliceWeight = 1024;
    private readonly List<TakenMessage> _taken = [];
    private readonly int[] _next = new int[Enum.GetValues<StreamKind>().Length];

    /// <summary>What the last <see cref="TryTake"/> took, in each partition in the log's order.</summary>
    public IReadOnlyList<TakenMessage> Taken => _taken;

    /// <summary>
    /// Takes some more while the transaction weighs less than so many readings: the last message may go beyond. False
    /// when there was nothing. Of another partition's gateway it makes a dead letter of <paramref name="commit"/>.
    /// </summary>
    public bool TryTake(StreamKind kind, int weightMax, StoreCommit commit)
    {
        _taken.Clear();
        var owners = owned.All.ToArray();
        var took = false;
        for (var empty = 0; empty < owners.Length && weight.Readings < weightMax && faults.Room
            && _taken.Count < MessagesMax;)
        {
            var owner = owners[_next[(int)kind]++ % owners.Length];
            var served = TakeSlice(owner, kind == StreamKind.Live ? owner.Live : owner.Backlog, weightMax, commit);
            empty = served ? 0 : empty + 1;
            took |= served;
        }

        _next[(int)kind] %= Math.Max(1, owners.Length);
        return took;
    }

    private bool TakeSlice(PartitionOwner owner, PartitionStream feed, int weightMax, StoreCommit commit)
    {
        var (taken, enough) = (0, Math.Min(weightMax, weight.Readings + SliceWeight));
        for (; taken < SliceMessages && weight.Readings < enough && faults.Room && feed.TryRead(out var message);
            taken++)
        {
            Take(owner, feed, message, commit);
        }

        return taken > 0;
    }

    private void Take(PartitionOwner owner, PartitionStream feed, FrameLogMessage message, StoreCommit commit)
    {
        faults.Took();
        weight.Add(Math.Max(
            Math.Max(WeightMin, message.Data.Length / BytesOfReading), FrameApplier.ReadingsClaimed(message)));
        var place = new MessageKey(owner.Row.Partition, feed.Kind, feed.Position.StreamCreatedNanos, message.Sequence);
        if (message.Gateway.Partition(options.Partitions) == owner.Row.Partition)
        {
            _taken.Add(new TakenMessage(owner, place, message));
            return;
        }

        // Another number of partitions, or a foreign publisher: kept, shown, in no book.
        counters.Malformed++;
        faults.Applying(place, commit.Readings.Count);
        commit.DeadLetters.Add(new DeadLetterRow(
            message.Gateway, default, DeadLetterReason.Malformed, "its gateway belongs to another partition", 0,
            default, 0, message.Data));
    }
}
