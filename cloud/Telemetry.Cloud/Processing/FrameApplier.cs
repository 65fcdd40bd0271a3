using System.Text.Unicode;
using Telemetry.Cloud.Alerts;
using Telemetry.Cloud.Ledger;
using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Cloud.Processing;

/// <summary>
/// Applies one message of the log to a gateway's ledger and to the transaction being built: this is where a reading is
/// deduplicated. One at a time; its buffers are reused, so that nothing is allocated a reading.
/// </summary>
internal sealed class FrameApplier(IStore store, AlertEvaluator alerts, ProcessorCounters counters)
{
    private readonly ReadingBatch _readings = new(FrameHeader.CountMax);
    private readonly List<Declaration> _declarations = [];

    /// <summary>What agents must be told when the transaction has committed.</summary>
    public AckList Acks { get; } = new();

    /// <summary>
    /// Applies a message. <paramref name="poison"/>: the database refused it for a reason found only there, so its
    /// readings are kept as one dead letter.
    /// </summary>
    public async ValueTask ApplyAsync(
        GatewayLedger gateway, Log.LogMessage message, bool poison, StoreCommit commit, CancellationToken cancellationToken)
    {
        try
        {
            var delivery = Delivery.Read(message.Data.Span, out var offset);
            var bytes = message.Data[offset..];
            if (!FrameReader.TryKind(bytes.Span, out var kind))
            {
                throw new WireFormatException("no message of a known version", offset);
            }

            if (kind == FrameKind.Schema)
            {
                if (poison)
                {
                    throw new WireFormatException("a schema that the database refused", offset);
                }

                await RegisterAsync(gateway, SchemaMessage.Read(bytes.Span), commit, cancellationToken);
            }
            else
            {
                await ApplyFrameAsync(
                    gateway, bytes, delivery.SentAtMicros, message.StoredAtNanos / 1000, poison, commit, cancellationToken);
            }
        }
        catch (WireFormatException malformed)
        {
            // Ingress checked it, so this is a defect or a foreign publisher: kept, shown, in no book.
            counters.Malformed++;
            commit.DeadLetters.Add(new DeadLetterRow(
                gateway.Gateway, default, DeadLetterReason.Malformed, malformed.Message, 0, 0, 0, message.Data));
        }
    }

    /// <summary>A list of series from memory or the database; null when neither has it.</summary>
    public async ValueTask<SeriesList?> SchemaAsync(GatewayLedger gateway, SchemaId id, CancellationToken cancellationToken)
    {
        if (gateway.Schema(id) is { } known)
        {
            return known;
        }

        if (await store.LoadSchemaAsync(gateway.Gateway, id, cancellationToken) is not { } chain)
        {
            return null;
        }

        var list = SeriesList.Empty(gateway.Gateway);
        foreach (var step in chain)
        {
            list = list.Extend(step);
            gateway.Know(list);
        }

        return list;
    }

    private async ValueTask RegisterAsync(
        GatewayLedger gateway, SchemaMessage schema, StoreCommit commit, CancellationToken cancellationToken)
    {
        if (await SchemaAsync(gateway, schema.Id, cancellationToken) is not null)
        {
            Acks.Known(gateway, schema.Id);
            return;
        }

        if (await SchemaAsync(gateway, schema.Parent, cancellationToken) is not { } parent)
        {
            Acks.SchemaNeeded(gateway, schema.Parent, default);
            return;
        }

        var list = parent.Extend(schema);
        gateway.Know(list);
        commit.Schemas.Add(new SchemaLedgerRow(schema, list));
        Acks.Known(gateway, schema.Id);
    }

    private async ValueTask ApplyFrameAsync(
        GatewayLedger gateway, ReadOnlyMemory<byte> frame, long sentAtMicros, long receivedAtMicros, bool poison,
        StoreCommit commit, CancellationToken cancellationToken)
    {
        var header = FrameReader.Header(frame.Span, out var checksum);
        var epoch = gateway.Epoch(header.Key.Epoch);
        epoch.SentAt(sentAtMicros);
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
                if (await SchemaAsync(gateway, header.Schema, cancellationToken) is not { } series)
                {
                    // It settles nothing; the agent sends the schema and the frame again.
                    counters.SchemasNeeded++;
                    Acks.SchemaNeeded(gateway, header.Schema, header.Key);
                    return;
                }

                alerts.Begin(gateway, series, header.Key, receivedAtMicros, recovered: placement == Placement.Lost);
                Store(gateway, epoch, header, checksum, frame, series, placement, poison, commit);
                alerts.End();
                break;
        }

        Acks.Settled(gateway, epoch);
        if (header.Promise is { } promise)
        {
            foreach (var named in promise.Epochs)
            {
                gateway.Announce(gateway.Epoch(named.Epoch), named.Lasts);
            }

            gateway.Watermark.Add(promise, receivedAtMicros);
        }
    }

    private void Store(
        GatewayLedger gateway, EpochLedger epoch, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame,
        SeriesList series, Placement placement, bool poison, StoreCommit commit)
    {
        var row = Decode(gateway, header, checksum, frame, series, poison, commit);
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

        gateway.CheckNamed(epoch, header.Key.Lane, header.Key.Last);
        gateway.Count(row.Stored, row.Rejected, row.Dropped);
        gateway.Remember(header.Key, checksum);
        commit.Frames.Add(row);
        counters.Stored += row.Stored;
        counters.Rejected += row.Rejected;
        counters.Dropped += row.Dropped;
    }

    private FrameRegisterRow Decode(
        GatewayLedger gateway, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, SeriesList series,
        bool poison, StoreCommit commit)
    {
        _readings.Clear();
        _declarations.Clear();
        try
        {
            FrameReader.Read(frame.Span, series.Types, _readings, _declarations);
        }
        catch (WireFormatException malformed)
        {
            // What it declares cannot be believed either: all that it covers is rejected.
            counters.Malformed++;
            return Refuse(
                gateway, header with { Kind = FrameKind.Readings, Dropped = 0 }, checksum, frame, DeadLetterReason.Malformed,
                malformed.Message, commit);
        }

        foreach (var declaration in _declarations)
        {
            commit.Drops.Add(new DropLedgerRow(
                gateway.Gateway, header.Key, series.Keys[declaration.Series], declaration));
        }

        if (poison)
        {
            return Refuse(
                gateway, header, checksum, frame, DeadLetterReason.Database, "the database refused its readings", commit);
        }

        int stored = 0, rejected = 0;
        ulong sum = 0;
        long first = long.MaxValue, last = long.MinValue;
        for (var i = 0; i < _readings.Count; i++)
        {
            var index = _readings.Series[i];
            var (type, key, time) = (series.Types[index], series.Keys[index], _readings.Times[i]);
            var text = type == MetricType.Text && (_readings.Flags[i] & ReadingFlags.Null) == 0;
            if (Fault(i, text) is { } fault)
            {
                rejected++;
                commit.DeadLetters.Add(DeadLetter(gateway, header.Key, fault, key, i, text));
                continue;
            }

            stored++;
            first = Math.Min(first, time);
            last = Math.Max(last, time);
            sum += ReadingHash.OfRow(_readings, i, key, type);
            alerts.Take(index, type, time, _readings.Flags[i], _readings.Bits[i]);
            if (text)
            {
                commit.Readings.AddText(series.DeviceKeys[index], key, time, _readings.Flags[i], _readings.Text(_readings.Bits[i]));
            }
            else
            {
                commit.Readings.Add(
                    series.DeviceKeys[index], key, type, time, _readings.Flags[i], _readings.Bits[i], series.Definitions[index].Decimals);
            }
        }

        return new FrameRegisterRow(
            gateway.Gateway, header.Key, stored, rejected, header.Dropped, stored > 0 ? first : 0, stored > 0 ? last : 0, checksum, sum);
    }

    /// <summary>What the database cannot hold of a reading; null when it can hold it.</summary>
    private DeadLetterReason? Fault(int row, bool text)
    {
        if (_readings.Times[row] is < WireReader.TimeMin or > WireReader.TimeMax)
        {
            return DeadLetterReason.Time;
        }

        return text && _readings.Text(_readings.Bits[row]) is var utf8 && (utf8.Contains((byte)0) || !Utf8.IsValid(utf8))
            ? DeadLetterReason.Value
            : null;
    }

    private DeadLetterRow DeadLetter(GatewayLedger gateway, FrameKey frame, DeadLetterReason fault, ulong key, int row, bool text)
    {
        var error = fault == DeadLetterReason.Time
            ? $"time {_readings.Times[row]} is outside {WireReader.TimeMin}..{WireReader.TimeMax} microseconds since 1970"
            : "text with NUL, or no valid UTF-8";
        var bytes = text ? _readings.Text(_readings.Bits[row]).ToArray() : BitConverter.GetBytes(_readings.Bits[row]);
        return new DeadLetterRow(gateway.Gateway, frame, fault, error, 1, key, _readings.Times[row], bytes);
    }

    private static FrameRegisterRow Refuse(
        GatewayLedger gateway, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, DeadLetterReason reason,
        string error, StoreCommit commit)
    {
        commit.DeadLetters.Add(new DeadLetterRow(gateway.Gateway, header.Key, reason, error, header.Present, 0, 0, frame));
        return new FrameRegisterRow(gateway.Gateway, header.Key, 0, header.Present, header.Dropped, 0, 0, checksum, 0);
    }

    /// <summary>A settled range came again: a duplicate when its checksum is the same (or too old to tell), else a fork.</summary>
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
            var rows = await store.FindFramesAsync(
                gateway.Gateway, header.Key.Epoch, header.Key.Lane, header.Key.Range, cancellationToken);
            known = rows.Count == 0 ? checksum : rows[0].Key == header.Key ? rows[0].Checksum : ~checksum;
        }

        if (known != checksum)
        {
            Fork(gateway, header.Key, checksum, "a settled range that came with other content", frame, commit);
        }
    }

    private void Fork(
        GatewayLedger gateway, FrameKey key, ulong checksum, string what, ReadOnlyMemory<byte> frame, StoreCommit commit)
    {
        counters.Forks++;
        gateway.ShowFork($"content: {what}: {key}");
        Acks.Fork(gateway);
        if (gateway.ForkIsNew(key, checksum))
        {
            commit.DeadLetters.Add(new DeadLetterRow(gateway.Gateway, key, DeadLetterReason.Fork, what, 0, 0, 0, frame));
        }
    }
}
