using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Checking;

/// <summary>What a gateway's frames in the log hold, read with the schemas that the database knows.</summary>
internal sealed class LogContent
{
    private readonly List<FrameKey> _frames = [];
    private readonly Dictionary<ulong, Predecessor> _predecessors = [];
    private readonly Dictionary<ulong, FrameKey> _readings = [];
    private readonly Dictionary<SchemaId, SchemaId> _parents = [];
    private readonly List<SchemaId> _unknown = [];

    /// <param name="world">Where its log is.</param>
    /// <param name="gateway">Whose frames.</param>
    /// <param name="edge">The schemas that its disk holds.</param>
    public LogContent(SimulatedWorld world, GatewayId gateway, IEnumerable<SchemaMessage> edge)
    {
        var database = world.Store.Content.Schemas.Where(s => s.Key.Gateway == gateway).Select(s => s.Value);
        foreach (var schema in edge.Concat(database))
        {
            _parents[schema.Id] = schema.Parent;
        }

        var partition = gateway.Partition(SimulatedWorld.Partitions);
        foreach (var kind in (StreamKind[])[StreamKind.Live, StreamKind.Backlog])
        {
            foreach (var message in world.Log.Find(partition, kind)?.Messages.Values ?? [])
            {
                if (message.Gateway == gateway)
                {
                    Add(world, gateway, message.Data.Span);
                }
            }
        }
    }

    /// <summary>
    /// True when two lives of an outbox stand here: two epochs with one predecessor, or a frame beyond the last
    /// sequence by which a successor names its epoch.
    /// </summary>
    public bool IsForked =>
        _predecessors.GroupBy(p => p.Value.Epoch).Any(same => same.Select(p => p.Key).Distinct().Count() > 1)
        || _frames.Exists(f => _predecessors.Values.Any(p => p.Epoch == f.Epoch && p.Lasts[f.Lane] < f.Last));

    /// <summary>Hashes of their readings, each with a frame that holds it.</summary>
    public IReadOnlyDictionary<ulong, FrameKey> Readings => _readings;

    /// <summary>Frames whose schema the database does not have, though it stands in the log or at the edge.</summary>
    public int Unreadable => _unknown.Count(IsSomewhere);

    /// <summary>Frames whose schema nobody has.</summary>
    public int WithoutSchema => _unknown.Count(schema => !IsSomewhere(schema));

    private void Add(SimulatedWorld world, GatewayId gateway, ReadOnlySpan<byte> message)
    {
        FrameEnvelope.Read(message, out var offset);
        var frame = message[offset..];
        if (!FrameReader.TryKind(frame, out var kind))
        {
            return;
        }

        if (kind == FrameKind.Schema)
        {
            var schema = SchemaMessage.Read(frame);
            _parents[schema.Id] = schema.Parent;
            return;
        }

        var header = FrameReader.Header(frame, out _);
        _frames.Add(header.Key);
        if (header.Predecessor is { } predecessor)
        {
            _predecessors[header.Key.Epoch] = predecessor;
        }

        if (world.Store.Content.Chain(gateway, header.Schema) is not { } chain)
        {
            _unknown.Add(header.Schema);
            return;
        }

        var series = chain.Aggregate(SeriesList.Empty(gateway), (list, step) => list.Extend(step));
        var batch = new ReadingBatch();
        FrameReader.Read(frame, series.Types, batch, []);
        for (var i = 0; i < batch.Count; i++)
        {
            var index = batch.Series[i];
            _readings[ReadingHash.OfRow(batch, i, series.Entries[index].Identity, series.Types[index])] = header.Key;
        }
    }

    private bool IsSomewhere(SchemaId schema)
    {
        while (schema != default && _parents.TryGetValue(schema, out var parent))
        {
            schema = parent;
        }

        return schema == default;
    }
}
