using Telemetry.Edge.Uplink;
using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: the promise of a hello counts at once, whatever of its sequences is on its way still.
/// </summary>
internal sealed class RashLink(IUplinkConnector link) : AlteredLink(link)
{
    protected override ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (IsFrames(topic) || Hello.Read(payload.Span) is not { Promise: { } promise } hello)
        {
            return connection.Inner.PublishAsync(topic, payload, cancellationToken);
        }

        var writer = new WireWriter();
        var rash = promise with { Epochs = [.. promise.Epochs.Select(e => new EpochLasts(e.Epoch, default))] };
        (hello with { Promise = rash }).Write(writer);
        return connection.Inner.PublishAsync(topic, writer.ToArray(), cancellationToken);
    }
}
