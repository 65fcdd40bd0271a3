using Telemetry.Model;
using Telemetry.Nats;
using Telemetry.Testing.Contracts;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Log;

/// <summary>Streams that were made before they had a description.</summary>
public sealed class OlderStreamsTests
{
    private static readonly GatewayId G = GatewayId.Parse("gateway-1");

    [NatsFact]
    public async Task Stream_without_a_description_gets_the_facts_and_the_new_subjects_and_keeps_its_messages()
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        await stand.JetStream.CreateStreamAsync(
            new StreamConfiguration { Name = "LIVE_3", Subjects = ["tm.live.3.*"] });
        await stand.JetStream.PublishAsync("tm.live.3.gateway-1", new byte[] { 7 }, "older");

        await stand.Log.EnsureStreamsAsync(3, default);

        var found = (await stand.JetStream.FindStreamAsync("LIVE_3"))!.Configuration;
        Assert.Equal(NatsStand.Facts.Description, found.Description);
        Assert.Equal(["tm.live.1.16.3.*"], found.Subjects);
        Assert.Equal("older", (await stand.Log.ReadAsync(3, StreamKind.Live, 1, default))!.MessageId);
        var append = await stand.Log.AppendAsync(3, StreamKind.Live, G, "newer", new byte[] { 8 }, default);
        Assert.Equal(2, append.Sequence);
        await Assert.ThrowsAsync<NatsNoRespondersException>(
            async () => await stand.JetStream.PublishAsync("tm.live.3.gateway-1", new byte[] { 9 }, "late"));
        await Assert.ThrowsAsync<Telemetry.Cloud.Installations.InstallationException>(
            () => stand.As(SampleInstallation.Of(8)).EnsureStreamsAsync(3, default));
    }
}
