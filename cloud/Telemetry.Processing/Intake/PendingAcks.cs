using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;

namespace Telemetry.Processing.Intake;

/// <summary>
/// The messages that agents get after the current transaction has committed: first the commit, then the stored-ack,
/// never the other way round.
/// </summary>
internal sealed class PendingAcks
{
    /// <summary>The most epochs of one stored-ack; further epochs are in the answer to the next hello.</summary>
    private const int EpochsMax = 1024;

    private readonly Dictionary<GatewayLedger, Entry> _entries = [];
    private readonly List<(GatewayId Gateway, SchemaNeeded Message)> _needed = [];

    public void Settled(GatewayLedger gateway, EpochLedger epoch) => For(gateway).Epochs.Add(epoch);

    public void Known(GatewayLedger gateway, SchemaId schema)
    {
        var known = For(gateway).Known;
        if (known.Count < Hello.SchemasMax)
        {
            known.Add(schema);
        }
    }

    public void Fork(GatewayLedger gateway) => For(gateway).Fork = true;

    public void SchemaNeeded(GatewayLedger gateway, SchemaId schema, FrameKey frame) =>
        _needed.Add((gateway.Gateway, new SchemaNeeded(0, schema, frame)));

    /// <summary>All gateways that get a stored-ack, because the transaction has changes of theirs.</summary>
    public IEnumerable<GatewayLedger> Gateways => _entries.Keys;

    public void Clear()
    {
        _entries.Clear();
        _needed.Clear();
    }

    /// <summary>Writes the stored-ack of a gateway.</summary>
    public ReadOnlyMemory<byte> StoredAck(GatewayLedger gateway, PartitionOwner owner, long nowMicros)
    {
        var entry = For(gateway);
        var writer = new WireWriter();
        new StoredAck
        {
            Token = owner.Row.Token,
            ServerTimeMicros = nowMicros,
            Digest = gateway.Digest,
            Live = new StreamProgress(owner.Row.Live.Sequence, 0),
            Backlog = new StreamProgress(owner.Row.Backlog.Sequence, 0),
            Fork = entry.Fork,
            Epochs = [.. entry.Epochs.Take(EpochsMax).Select(Settlements.Of)],
            KnownSchemas = [.. entry.Known],
        }.Write(writer);
        return writer.ToArray();
    }

    /// <summary>The schema requests, written.</summary>
    public IEnumerable<(GatewayId Gateway, ReadOnlyMemory<byte> Message)> SchemaRequests(Func<GatewayId, ulong> token)
    {
        foreach (var (gateway, message) in _needed)
        {
            var writer = new WireWriter();
            (message with { Token = token(gateway) }).Write(writer);
            yield return (gateway, writer.ToArray());
        }
    }

    private Entry For(GatewayLedger gateway)
    {
        if (!_entries.TryGetValue(gateway, out var entry))
        {
            _entries[gateway] = entry = new Entry();
        }

        return entry;
    }

    private sealed class Entry
    {
        public HashSet<EpochLedger> Epochs { get; } = [];

        public HashSet<SchemaId> Known { get; } = [];

        public bool Fork { get; set; }
    }
}
