using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// A foreign MQTT broker with a shared subscription: it brings each message to some ingress until one takes it, in no
/// order that could be relied on, and forgets what it had when it is told nothing of it for too long. The ingress'
/// receipt goes down as a message.
/// </summary>
internal sealed class SimulatedBroker(SimulatedLink link, Func<ReadOnlyMemory<byte>, bool> sendDown)
{
    private const int TriesMax = 20;

    public void Take(string topic, byte[] payload) => Bring(topic, payload, 1);

    private void Bring(string topic, byte[] payload, int tries)
    {
        if (link.Strikes(LinkFault.LosesMessage) || tries > TriesMax)
        {
            return;
        }

        if (link.AnIngress() is { } ingress)
        {
            _ = ingress.Life.Run(() => BringAsync(ingress, topic, payload, tries));
            _ = AgainIfItDiesAsync(ingress, topic, payload, tries);
        }
        else
        {
            Again(topic, payload, tries);
        }
    }

    private async Task BringAsync(SimulatedIngress ingress, string topic, byte[] payload, int tries)
    {
        try
        {
            var outcome = await ingress.Published(link.Gateway, topic, payload, CancellationToken.None);
            if (Receipt.TryParse(outcome.Receipt, out var receipt))
            {
                SendReceipt(payload, receipt);
            }
            else if (!outcome.Accepted)
            {
                Again(topic, payload, tries);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Again(topic, payload, tries);
        }
    }

    // Only what nobody took before its ingress died is brought again; what was taken is at worst brought twice.
    private async Task AgainIfItDiesAsync(SimulatedIngress ingress, string topic, byte[] payload, int tries)
    {
        var died = ingress.Life.Died;
        if (await Task.WhenAny(died, Task.Delay(TimeSpan.FromSeconds(5), link.Wire.Time)) == died)
        {
            Again(topic, payload, tries);
        }
    }

    private void Again(string topic, byte[] payload, int tries) =>
        link.Wire.SendAfter(link.Wire.Latency() * (10 * tries), () => Bring(topic, payload, tries + 1));

    private void SendReceipt(byte[] payload, Receipt receipt)
    {
        var delivery = FrameEnvelope.Read(payload, out var frameOffset);
        var frame = payload.AsSpan(frameOffset);
        if (FrameReader.TryKind(frame, out var kind) && kind != FrameKind.Schema)
        {
            var writer = new WireWriter();
            new ReceiptMessage(FrameReader.Header(frame, out _).Key, delivery.Attempt, receipt).Write(writer);
            sendDown(writer.ToArray());
        }
    }
}
