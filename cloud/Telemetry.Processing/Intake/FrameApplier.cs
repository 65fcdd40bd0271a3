using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Processing.Windows;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Applies one message of the log to a gateway's ledger and to the current transaction. Deduplication of readings
/// happens here. Applies one message at a time and reuses its buffers, so that nothing is allocated for each reading.
/// </summary>
internal sealed class FrameApplier(
    IStore store, AlertEvaluator alerts, WindowFolder windows, SchemaHandler schemas, PendingAcks acks,
    DataFaultIsolator isolator, ProcessorOptions options, ProcessorCounters counters, TransactionWeight weight)
{
    /// <summary>
    /// The least cost of a schema, in readings: rows of its own and a number for each series. A gateway that adds its
    /// series one by one must not fill a transaction with thousands of schemas, for which other gateways of its
    /// partition would wait.
    /// </summary>
    private const int SchemaWeight = 128;
    private readonly WaitingMessages _waiting = new(store);
    private readonly RegisteredFrames _registered = new(store, weight);
    private readonly FrameContent _content = new(store, alerts, windows, options, counters);

    /// <summary>
    /// About how many readings a message adds (see <see cref="FrameReader.ReadingsClaimed"/>), or the cost of a schema.
    /// </summary>
    public static int ReadingsClaimed(FrameLogMessage message)
    {
        try
        {
            FrameEnvelope.Read(message.Data.Span, out var offset);
            var bytes = message.Data.Span[offset..];
            return FrameReader.TryKind(bytes, out var kind) && kind == FrameKind.Schema
                ? SchemaWeight : FrameReader.ReadingsClaimed(bytes);
        }
        catch (WireFormatException)
        {
            // Applying the message reports the error.
            return 0;
        }
    }

    /// <summary>
    /// Prepares for messages that were taken together, before they are applied; their gateways are in memory.
    /// </summary>
    public ValueTask PrepareAsync(IReadOnlyList<TakenMessage> taken, CancellationToken cancellationToken) =>
        _registered.LookUpAsync(taken, cancellationToken);

    /// <summary>
    /// Applies a message. <paramref name="suspect"/>: the database refused the message for a reason that only the
    /// database finds, so the refused parts become dead letters.
    /// </summary>
    public async ValueTask ApplyAsync(
        GatewayMemory memory, FrameLogMessage message, SuspectMessage suspect, StoreCommit commit,
        CancellationToken cancellationToken, bool waited = false)
    {
        var gateway = memory.Ledger;
        try
        {
            var delivery = FrameEnvelope.Read(message.Data.Span, out var offset);
            var bytes = message.Data[offset..];
            if (!FrameReader.TryKind(bytes.Span, out var kind))
            {
                throw new WireFormatException("a message of an unknown version", offset);
            }

            if (kind == FrameKind.Schema)
            {
                var schema = SchemaMessage.Read(bytes.Span);
                if (await schemas.RegisterAsync(
                    gateway, schema, message.Data, suspect, commit, cancellationToken) is { } parent)
                {
                    WaitingMessages.Keep(gateway, parent, message, bytes, commit);
                }
                else if (gateway.Schemas.Find(schema.Id) is not null)
                {
                    await ApplyWaitingAsync(memory, schema.Id, commit, cancellationToken);
                }
            }
            else if (await ApplyFrameAsync(
                memory, bytes, delivery, ArrivalOf(gateway, delivery, message, waited), suspect, commit,
                cancellationToken) is { } needed)
            {
                WaitingMessages.Keep(gateway, needed, message, bytes, commit);
            }
        }
        catch (WireFormatException malformed)
        {
            // Ingress checked it, so this is a defect or somebody else published it: keep and show it, but count it in
            // no accounting.
            counters.Malformed++;
            commit.DeadLetters.Add(new DeadLetterRow(
                gateway.Gateway, default, DeadLetterReason.Malformed, malformed.Message, 0, default, 0, message.Data));
        }
    }

    private static FrameArrival ArrivalOf(
        GatewayLedger gateway, FrameEnvelope delivery, FrameLogMessage message, bool waited)
    {
        var received = message.StoredAtNanos / 1000;
        return new FrameArrival(
            delivery.SentAtMicros, received, gateway.Clock.Transit(delivery.SentAtMicros, received), waited);
    }

    /// <summary>
    /// Applies the messages that waited for a schema in the transaction that registers it. A message that the database
    /// refuses for more than its readings is set aside: it must not block the schema, and its agent may still send it.
    /// </summary>
    private async ValueTask ApplyWaitingAsync(
        GatewayMemory memory, SchemaId schema, StoreCommit commit, CancellationToken cancellationToken)
    {
        var gateway = memory.Ledger.Gateway;
        foreach (var row in await _waiting.TakeAsync(memory.Ledger, schema, commit, cancellationToken))
        {
            var place = WaitingMessages.Place(row.Id);
            isolator.Applying(place, commit.Readings.Count);
            if (isolator.Of(place) is { Level: >= SuspectLevel.Frame } refused)
            {
                commit.DeadLetters.Add(new DeadLetterRow(
                    gateway, default, DeadLetterReason.Database, refused.Error, 0, default, 0, row.Bytes));
                continue;
            }

            await ApplyAsync(
                memory, new FrameLogMessage(gateway, "", row.Bytes, 0, row.StoredAtNanos), isolator.Of(place), commit,
                cancellationToken, waited: true);
        }
    }

    /// <summary>
    /// Places a frame and stores what is new. Returns the schema that the frame waits for, if that is not known.
    /// </summary>
    private async ValueTask<SchemaId?> ApplyFrameAsync(
        GatewayMemory memory, ReadOnlyMemory<byte> frame, FrameEnvelope delivery, FrameArrival arrival,
        SuspectMessage suspect, StoreCommit commit, CancellationToken cancellationToken)
    {
        var gateway = memory.Ledger;
        var header = FrameReader.Header(frame.Span, out var checksum);
        var series = await schemas.FindAsync(gateway, header.Schema, cancellationToken);
        if (gateway.Epoch(header.Key.Epoch, hasFrame: series is not null) is not { } epoch)
        {
            return Refused(gateway, header, series, frame, commit);
        }

        epoch.HeardOf(delivery.Attempt.Process);
        if (header.Predecessor is { } predecessor)
        {
            gateway.Follow(epoch, predecessor);
        }

        // Place the frame first: announcing it opens a complete epoch again, and it must not be taken for settled
        // there.
        var placement = epoch.Place(header.Key.Lane, header.Key.Range);
        gateway.Announce(epoch, new LaneLasts().With(header.Key.Lane, header.Key.Last));
        switch (placement)
        {
            case Placement.Settled:
                await CompareAsync(gateway, header, checksum, frame, commit, cancellationToken);
                break;
            case Placement.Overlap:
                Fork(gateway, header.Key, checksum, "a range that overlaps a settled one in part", frame, commit);
                break;
            default:
                if (series is null)
                {
                    return NeedSchema(gateway, header);
                }

                await _content.SearchAsync(frame, series, suspect, cancellationToken);
                weight.Add(alerts.Begin(
                    gateway.Gateway, memory.Alerts, series, header.Key,
                    arrival with { IsLate = arrival.IsLate || placement == Placement.Lost }, header.Promise?.W));
                windows.BeginFrame(
                    memory.Windows, header.Key, gateway.Watermark.Value, arrival.ReceivedAtMicros,
                    placement == Placement.Lost ? RevisionCause.Recovered : RevisionCause.Late,
                    isDelayed: arrival.IsLate || placement == Placement.Lost);
                Store(gateway, epoch, header, checksum, frame, series, placement, suspect, commit);
                windows.EndFrame();
                alerts.End();
                break;
        }

        acks.Settled(gateway, epoch);
        if (header.Promise is { } promise)
        {
            foreach (var named in promise.Epochs)
            {
                gateway.Announce(named);
            }

            gateway.Watermark.Add(promise, arrival.ReceivedAtMicros);
        }

        return null;
    }

    /// <summary>The gateway may have no more epochs: keep and show the frame, but count it in no accounting.</summary>
    private SchemaId? Refused(
        GatewayLedger gateway, in FrameHeader header, SeriesList? series, ReadOnlyMemory<byte> frame,
        StoreCommit commit)
    {
        if (series is null)
        {
            return NeedSchema(gateway, header);
        }

        counters.Forks++;
        commit.DeadLetters.Add(new DeadLetterRow(
            gateway.Gateway, header.Key, DeadLetterReason.Fork, "an epoch beyond the most that a gateway may have", 0,
            default, 0, frame));
        return null;
    }

    // This settles nothing: the agent sends the schema and the frame again. If the schema was refused, the frame waits
    // at the edge.
    private SchemaId? NeedSchema(GatewayLedger gateway, in FrameHeader header)
    {
        counters.SchemasNeeded++;
        if (gateway.Schemas.IsRefused(header.Schema))
        {
            return null;
        }

        acks.SchemaNeeded(gateway, header.Schema, header.Key);
        return header.Schema;
    }

    private void Store(
        GatewayLedger gateway, EpochLedger epoch, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame,
        SeriesList series, Placement placement, SuspectMessage suspect, StoreCommit commit)
    {
        var row = _content.Apply(gateway.Gateway, header, checksum, frame, series, suspect, commit);
        if (placement == Placement.Lost)
        {
            gateway.Count(lost: -header.Key.Count);
            epoch[header.Key.Lane].Recover(header.Key.Range, header.Key.Share(checksum));
            counters.Recovered += header.Key.Count;
        }
        else
        {
            epoch[header.Key.Lane].Settle(header.Key.Range, header.Key.Share(checksum));
        }

        gateway.Proven(epoch);
        gateway.CheckNamed(epoch, header.Key.Lane, header.Key.Last);
        gateway.Count(row.Stored, row.Rejected, row.Dropped);
        gateway.Remember(header.Key, checksum);
        if (suspect.Level < SuspectLevel.Everything)
        {
            commit.Frames.Add(row);
        }

        counters.Stored += row.Stored;
        counters.Rejected += row.Rejected;
        counters.Dropped += row.Dropped;
    }

    /// <summary>
    /// A settled range arrived again: a duplicate when its checksum is the same (or its frame is too old to compare),
    /// otherwise a fork.
    /// </summary>
    private async ValueTask CompareAsync(
        GatewayLedger gateway, FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, StoreCommit commit,
        CancellationToken cancellationToken)
    {
        counters.Duplicates++;
        if (header.Kind == FrameKind.Tombstone)
        {
            return;
        }

        var known = gateway.RecentChecksum(header.Key);
        if (known is null)
        {
            var row = await _registered.FindAsync(gateway.Gateway, header.Key, cancellationToken);
            known = row is null ? checksum : row.Key == header.Key ? row.Checksum : ~checksum;
        }

        if (known != checksum)
        {
            Fork(gateway, header.Key, checksum, "a settled range that came with other content", frame, commit);
        }
    }

    private void Fork(
        GatewayLedger gateway, FrameKey key, ulong checksum, string what, ReadOnlyMemory<byte> frame,
        StoreCommit commit)
    {
        counters.Forks++;
        gateway.ShowFork($"content: {what}: {key}");
        acks.Fork(gateway);
        if (gateway.ForkIsNew(key, checksum))
        {
            commit.DeadLetters.Add(
                new DeadLetterRow(gateway.Gateway, key, DeadLetterReason.Fork, what, 0, default, 0, frame));
        }
    }
}
