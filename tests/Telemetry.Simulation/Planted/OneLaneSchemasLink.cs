using Telemetry.Edge.Uplink;
using Telemetry.Model.Frames;
using Telemetry.Model.Schemas;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: a schema goes up in the first lane that needs it only.</summary>
internal sealed class OneLaneSchemasLink(IUplinkConnector link) : AlteredLink(link)
{
    private readonly Dictionary<SchemaId, string> _sent = [];

    protected override async ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (!IsFrames(topic) || IdOf(payload.Span) is not { } schema)
        {
            return await connection.Inner.PublishAsync(topic, payload, cancellationToken);
        }

        if (_sent.TryGetValue(schema, out var lane) && lane != topic)
        {
            return new PublishOutcome(0, null, null);
        }

        var outcome = await connection.Inner.PublishAsync(topic, payload, cancellationToken);
        if (outcome.Accepted)
        {
            _sent[schema] = topic;
        }

        return outcome;
    }

    private static SchemaId? IdOf(ReadOnlySpan<byte> payload)
    {
        Model.Frames.Delivery.Read(payload, out var offset);
        return FrameReader.TryKind(payload[offset..], out var kind) && kind == FrameKind.Schema
            ? SchemaMessage.Read(payload[offset..]).Id
            : null;
    }
}
