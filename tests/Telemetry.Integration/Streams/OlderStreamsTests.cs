using NATS.Client.JetStream.Models;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Streams;

/// <summary>Streams that were made before they had a description.</summary>
public sealed class OlderStreamsTests
{
    private static readonly GatewayId G = GatewayId.Parse("gateway-1");

    [NatsFact]
    public async Task Stream_without_a_description_gets_the_facts_and_the_new_subjects_and_keeps_its_messages()
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        await stand.Connection.Context.CreateStreamAsync(new StreamConfig("LIVE_3", ["tm.live.3.*"]));
        await stand.Connection.Window.PublishAsync("tm.live.3.gateway-1", new byte[] { 7 }, "older", default);

        await stand.Log.EnsureStreamsAsync(3, default);

        var found = (await stand.Connection.FindStreamAsync("LIVE_3", default))!.Config;
        Assert.Equal(NatsStand.Facts.Description, found.Description);
        Assert.Equal(["tm.live.1.16.3.*"], found.Subjects);
        Assert.Equal("older", (await stand.Log.ReadAsync(3, StreamKind.Live, 1, default))!.MessageId);
        var append = await stand.Log.AppendAsync(3, StreamKind.Live, G, "newer", new byte[] { 8 }, default);
        Assert.Equal(2, append.Sequence);
        await Assert.ThrowsAsync<FrameLogException>(async () => await stand.Connection.Window.PublishAsync(
            "tm.live.3.gateway-1", new byte[] { 9 }, "late", default));
        await Assert.ThrowsAsync<InstallationException>(
            () => stand.As(SampleInstallation.Of(8)).EnsureStreamsAsync(3, default));
    }
}
