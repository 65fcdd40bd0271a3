using Telemetry.Cloud.Log;
using Telemetry.Cloud.Storage;
using Telemetry.Model;

namespace Telemetry.Cloud.Processing;

/// <summary>A message that was taken, and whose it is.</summary>
internal readonly record struct TakenMessage(PartitionOwner Owner, LogPlace Place, LogMessage Message);

/// <summary>
/// Takes messages of all owned partitions for the transaction being built, in small slices of each in turn, so that none
/// waits for another. What is taken moves its feed's position, and so must go into this transaction.
/// </summary>
internal sealed class LogTaking(
    OwnedPartitions owned, FaultSearch faults, ProcessorOptions options, ProcessorCounters counters)
{
    /// <summary>What a message weighs at least, in readings: its row in the register, or a dead letter.</summary>
    private const int WeightMin = 8;

    private const int MessagesMax = 512, SliceMessages = 8;
    private readonly List<TakenMessage> _taken = [];
    private int _weight, _turn;

    /// <summary>What the last <see cref="TryTake"/> took, in each partition in the log's order.</summary>
    public IReadOnlyList<TakenMessage> Taken => _taken;

    /// <summary>A new transaction begins.</summary>
    public void Begin() => _weight = 0;

    /// <summary>
    /// True while the transaction weighs less than so many readings. Duplicates weigh as well: a log that is read again
    /// makes transactions of the same size, so that leases are renewed meanwhile.
    /// </summary>
    public bool Room(int readingsMax) => _weight < readingsMax;

    /// <summary>
    /// Takes some more, up to so many readings in the transaction and one frame more, as the frames' headers say. False when
    /// there was nothing. Of another partition's gateway it makes a dead letter of <paramref name="commit"/>.
    /// </summary>
    public bool TryTake(StreamKind kind, int readingsMax, StoreCommit commit)
    {
        _taken.Clear();
        var owners = owned.All.ToArray();
        var first = _turn++;
        var took = false;
        for (var (turn, empty) = (0, 0); empty < owners.Length && _taken.Count < MessagesMax; turn++)
        {
            var owner = owners[(first + turn) % owners.Length];
            var feed = kind == StreamKind.Live ? owner.Live : owner.Backlog;
            var slice = 0;
            for (; slice < SliceMessages && Room(readingsMax) && faults.Room && feed.TryRead(out var message); slice++)
            {
                Take(owner, feed, message, commit);
                took = true;
            }

            empty = slice > 0 ? 0 : empty + 1;
        }

        return took;
    }

    private void Take(PartitionOwner owner, Feed feed, LogMessage message, StoreCommit commit)
    {
        faults.Took();
        _weight += Math.Max(WeightMin, FrameApplier.CountClaimed(message));
        var place = new LogPlace(owner.Row.Partition, feed.Kind, feed.Position.StreamCreatedNanos, message.Sequence);
        if (message.Gateway.Partition(options.Partitions) == owner.Row.Partition)
        {
            _taken.Add(new TakenMessage(owner, place, message));
            return;
        }

        // Another number of partitions, or a foreign publisher: kept, shown, in no book.
        counters.Malformed++;
        faults.Applying(place, commit.Readings.Count);
        commit.DeadLetters.Add(new DeadLetterRow(
            message.Gateway, default, DeadLetterReason.Malformed, "its gateway belongs to another partition", 0, 0, 0, message.Data));
    }
}
