using Telemetry.Model.Protocol;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>A message that was taken, and its partition's owner.</summary>
internal readonly record struct TakenMessage(PartitionOwner Owner, MessageKey Place, FrameLogMessage Message);

/// <summary>
/// Takes messages of all owned partitions for the current transaction, in small slices of each partition in turn. It
/// continues after the partition that was served last, so that no partition waits for another. Taking a message moves
/// its stream's position, so the message must be part of this transaction.
/// </summary>
internal sealed class BatchIntake(
    OwnedPartitions owned, DataFaultIsolator isolator, ProcessorOptions options, ProcessorCounters counters,
    TransactionWeight weight)
{
    /// <summary>The least weight of a message, in readings: its row in the register, or a dead letter.</summary>
    private const int WeightMin = 8;

    /// <summary>How many bytes weigh as much as one reading; plain columns have this many for each.</summary>
    private const int BytesOfReading = 16;

    private const int MessagesMax = 512, SliceMessages = 8, SliceWeight = 1024;
    private readonly List<TakenMessage> _taken = [];
    private readonly int[] _next = new int[Enum.GetValues<StreamKind>().Length];

    /// <summary>
    /// The messages that the last <see cref="TryTake"/> took, in the log's order within each partition.
    /// </summary>
    public IReadOnlyList<TakenMessage> Taken => _taken;

    /// <summary>
    /// Takes some more messages while the transaction weighs less than the given number of readings; the last message
    /// may exceed it. Returns false when there was none. A message of another partition's gateway becomes a dead letter
    /// in <paramref name="commit"/>.
    /// </summary>
    public bool TryTake(StreamKind kind, int weightMax, StoreCommit commit)
    {
        _taken.Clear();
        var owners = owned.All.ToArray();
        var took = false;
        for (var empty = 0; empty < owners.Length && weight.Readings < weightMax && isolator.Room
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

    private bool TakeSlice(PartitionOwner owner, PartitionStream stream, int weightMax, StoreCommit commit)
    {
        var (taken, enough) = (0, Math.Min(weightMax, weight.Readings + SliceWeight));
        for (; taken < SliceMessages && weight.Readings < enough && isolator.Room && stream.TryRead(out var message);
            taken++)
        {
            Take(owner, stream, message, commit);
        }

        return taken > 0;
    }

    private void Take(PartitionOwner owner, PartitionStream stream, FrameLogMessage message, StoreCommit commit)
    {
        isolator.Took();
        weight.Add(Math.Max(
            Math.Max(WeightMin, message.Data.Length / BytesOfReading), FrameApplier.ReadingsClaimed(message)));
        var place = new MessageKey(
            owner.Row.Partition, stream.Kind, stream.Position.StreamCreatedNanos, message.Sequence);
        if (message.Gateway.Partition(options.Partitions) == owner.Row.Partition)
        {
            _taken.Add(new TakenMessage(owner, place, message));
            return;
        }

        // The number of partitions differs, or somebody else published it: keep and show it, but count it in no
        // accounting.
        counters.Malformed++;
        isolator.Applying(place, commit.Readings.Count);
        commit.DeadLetters.Add(new DeadLetterRow(
            message.Gateway, default, DeadLetterReason.Malformed, "its gateway belongs to another partition", 0,
            default, 0, message.Data));
    }
}
