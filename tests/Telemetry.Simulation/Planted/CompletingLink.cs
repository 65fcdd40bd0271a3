using Telemetry.Edge.Uplink;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: what an answer names is freed beyond what it settles, up to all that was ever announced, lost frames
/// too.
/// </summary>
internal sealed class CompletingLink(IUplinkConnector link) : AlteredLink(link)
{
    protected override ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        connection.Inner.PublishAsync(topic, payload, cancellationToken);

    protected override ReadOnlyMemory<byte> Down(ReadOnlyMemory<byte> message)
    {
        if (message.Span[0] != (byte)DownKind.StoredAck
            || StoredAck.Read(message.Span) is not { InAnswerTo: not null } answer)
        {
            return message;
        }

        var writer = new WireWriter();
        (answer with
        {
            Epochs =
            [
                .. answer.Epochs.Select(e => new EpochSettlement(
                    e.Epoch, true, [.. e.Lanes.Select(l => l with { Runs = [] })])),
            ],
        }).Write(writer);
        return writer.ToArray();
    }
}
