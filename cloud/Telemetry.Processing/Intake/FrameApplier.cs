using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Applies one message of the log to a gateway's ledger and to the transaction being built: this is where a reading is
/// deduplicated. One at a time; its buffers are reused, so that nothing is allocated a reading.
/// </summary>
internal sealed class FrameApplier(
    IStore store, AlertEvaluator alerts, SchemaHandler schemas, PendingAcks acks, DataFaultIsolator faults,
    ProcessorOptions options, ProcessorCounters counters, TransactionWeight weight)
{
    /// <summary>
    /// What a schema costs at least, in readings: rows of its own and a number for each series. A gateway that adds its
    /// series one by one must not fill a transaction with thousands, for which others in its partition would wait.
    /// </summary>
    private const int SchemaWeight = 128;
    private readonly WaitingMessages _waiting = new(store);
    private readonly RegisteredFrames _registered = new(store, weight);
    private readonly FrameContent _content = new(store, alerts, options, counters);

    /// <summary>
    /// About how many readings a message adds, see <see cref="FrameReader.ReadingsClaimed"/>; of a schema what it
    /// costs.
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
            // To apply it says what is wrong with it.
            return 0;
        }
    }

    /// <summary>Before messages that were taken together are applied; their gateways are in memory.</summary>
    public ValueTask PrepareAsync(IReadOnlyList<TakenMessage> taken, CancellationToken cancellationToken) =>
        _registered.LookUpAsync(taken, cancellationToken);

    /// <summary>
    /// Applies a message. <paramref name="suspicion"/>: the database refused it for a reason found only there, so what
    /// it refuses of it becomes dead letters.
    /// </summary>
    public async ValueTask ApplyAsync(
        GatewayLedger gateway, FrameLogMessage message, SuspectMessage suspicion, StoreCommit commit,
        CancellationToken cancellationToken, bool waited = false)
    {
        try
        {
            var delivery = FrameEnvelope.Read(message.Data.Span, out var offset);
            var bytes = message.Data[offset..];
            if (!FrameReader.TryKind(bytes.Span, out var kind))
            {
                throw new WireFormatException("no message of a known version", offset);
            }

            if (kind == FrameKind.Schema)
            {
                var schema = SchemaMessage.Read(bytes.Span);
                if (await schemas.RegisterAsync(
                    gateway, schema, message.Data, suspicion, commit, cancellationToken) is { } parent)
                {
                    WaitingMessages.Keep(gateway, parent, message, bytes, commit);
                }
                else if (gateway.Schemas.Find(schema.Id) is not null)
                {
                    await ApplyWaitingAsync(gateway, schema.Id, commit, cancellationToken);
                }
            }
            else if (await ApplyFrameAsync(
                gateway, bytes, delivery, ArrivalOf(gateway, delivery, message, waited), suspicion, commit,
                cancellationToken) is { } needed)
            {
                WaitingMessages.Keep(gateway, needed, message, bytes, commit);
            }
        }
        catch (WireFormatException malformed)
        {
            // Ingress checked it, so this is a defect or a foreign publisher: kept, shown, in no book.
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
    /// What waited for a schema goes into the transaction that registers it. What the database refuses for more than
    /// its readings is kept aside: it must not keep the schema out, and its agent may still send it.
    /// </summary>
    private async ValueTask ApplyWaitingAsync(
        GatewayLedger gateway, SchemaId schema, StoreCommit commit, CancellationToken cancellationToken)
    {
        foreach (var row in await _waiting.TakeAsync(gateway, schema, commit, cancellationToken))
        {
            var place = WaitingMessages.Place(row.Id);
            faults.Applying(place, commit.Readings.Count);
            if (faults.Of(place) is { Level: >= SuspectLevel.Frame } refused)
            {
                commit.DeadLetters.Add(new DeadLetterRow(
                    gateway.Gateway, default, DeadLetterReason.Database, refused.Error, 0, default, 0, row.Bytes));
                continue;
            }

            await ApplyAsync(
                gateway, new FrameLogMessage(gateway.Gateway, "", row.Bytes, 0, row.StoredAtNanos), faults.Of(place),
                commit, cancellationToken, waited: true);
        }
    }

    /// <summary>Places a frame and stores what is new; gives the schema that it waits for.</summary>
    private async ValueTask<SchemaId?> ApplyFrameAsync(
        GatewayLedger gateway, ReadOnlyMemory<byte> frame, FrameEnvelope delivery, FrameArrival arrival,
        SuspectMessage suspicion, StoreCommit commit, CancellationToken cancellationToken)
    {
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

        // Placed first: to announce it opens a complete epoch again, in which it must not be taken for settled.
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

                await _content.SearchAsync(frame, series, suspicion, cancellationToken);
                weight.Add(alerts.Begin(
                    gateway, series, header.Key,
                    arrival with { IsLate = arrival.IsLate || placement == Placement.Lost }));
                Store(gateway, epoch, header, checksum, frame, series, placement, suspicion, commit);
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

    /// <summary>The gateway may have no more epochs: kept, shown, in no book.</summary>
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

    // It settles nothing: the agent sends the schema and the frame again. Of a schema that was refused it waits there.
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
        SeriesList series, Placement placement, SuspectMessage suspicion, StoreCommit commit)
    {
        var row = _content.Apply(gateway.Gateway, header, checksum, frame, series, suspicion, commit);
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
        if (suspicion.Level < SuspectLevel.Everything)
        {
            commit.Frames.Add(row);
        }

        counters.Stored += row.Stored;
        counters.Rejected += row.Rejected;
        counters.Dropped += row.Dropped;
    }

    /// <summary>
    /// A settled range came again: a duplicate when its checksum is the same (or too old to tell), else a fork.
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
