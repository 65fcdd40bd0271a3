using Telemetry.MqttSessions;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.MqttSessions;

/// <summary>mosquitto_pub and mosquitto_sub against our listener.</summary>
public sealed class MosquittoClientsTests
{
    [MosquittoClientsFact]
    public async Task Mosquitto_pub_delivers_messages_of_both_qos_in_order()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var folder = new TemporaryFolder();
        await File.WriteAllLinesAsync(folder.At("lines"), Enumerable.Range(0, 200).Select(i => $"line {i}"));

        await Spawner.Run(Command(folder, "sh", "-c",
            $"mosquitto_pub {Common(fixture, "m")} -q 1 -t own/m/x -l < lines"
            + $" && mosquitto_pub {Common(fixture, "m")} -q 0 -t own/m/y -m last"));

        for (int i = 0; i < 200; i++)
        {
            var (_, topic, text) = await ListenerFixture.NextAsync(fixture.Application.Messages);
            Assert.Equal(("own/m/x", $"line {i}"), (topic, text));
        }
        Assert.Equal("last", (await ListenerFixture.NextAsync(fixture.Application.Messages)).Text);
    }

    [MosquittoClientsFact]
    public async Task Mosquitto_pub_is_refused_with_a_wrong_password_or_another_version_and_holds_back_qos_2()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var folder = new TemporaryFolder();
        Task Refused(string arguments) => Assert.ThrowsAsync<InvalidOperationException>(
            () => Spawner.Run(Command(folder, "sh", "-c", $"timeout 10 mosquitto_pub {arguments}")));

        await Refused($"-p {fixture.Listener.Port} -i m -V mqttv5 -u m -P wrong -t own/m/x -m y -q 1");
        await Refused($"-p {fixture.Listener.Port} -i m -V mqttv311 -u m -P secret -t own/m/x -m y -q 1");
        // It keeps to the Maximum QoS of our CONNACK by itself, and calls that a success.
        await Spawner.Run(Command(folder, "sh", "-c",
            $"timeout 10 mosquitto_pub {Common(fixture, "m")} -t own/m/x -m y -q 2"));

        var counters = fixture.Listener.Counters;
        Assert.Equal(1, counters.Refused(MqttReasonCode.BadUserNameOrPassword));
        Assert.Equal(1, counters.Refused(MqttReasonCode.UnsupportedProtocolVersion));
        Assert.Equal(0, counters.MessagesReceived);
    }

    [MosquittoClientsFact]
    public async Task Mosquitto_sub_receives_what_the_application_sends()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var folder = new TemporaryFolder();
        var output = Spawner.Run(Command(folder, "sh", "-c",
            $"timeout 20 mosquitto_sub {Common(fixture, "s")} -q 1 -t 'own/s/#' -C 3 -F '%t %q %p'"));
        await ListenerFixture.UntilAsync(() => fixture.Application.Sessions.ContainsKey("s"));
        var session = fixture.Application.Sessions["s"];
        await ListenerFixture.UntilAsync(() => session.TrySend("own/s/1", "a"u8.ToArray()) == MqttSendOutcome.Queued);

        session.TrySend("own/s/2", "b"u8.ToArray(), MqttQos.AtLeastOnce);
        session.TrySend("own/s/3", "c"u8.ToArray(), MqttQos.AtLeastOnce, [new("k", "v")]);

        Assert.Equal("own/s/1 0 a\nown/s/2 1 b\nown/s/3 1 c\n", await output);
    }

    private static string Common(ListenerFixture fixture, string clientId) =>
        $"-h 127.0.0.1 -p {fixture.Listener.Port} -V mqttv5 -i {clientId} -u {clientId} "
        + $"-P {RecordingApplication.Password}";

    private static ServerCommand Command(TemporaryFolder folder, string program, params string[] arguments) =>
        new(Programs.Require(program), arguments) { Folder = folder.FullPath };
}
