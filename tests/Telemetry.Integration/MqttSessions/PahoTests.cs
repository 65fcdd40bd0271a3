using System.Globalization;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.MqttSessions;

/// <summary>paho for Python against our listener.</summary>
public sealed class PahoTests
{
    private const string Prelude = """
        import sys, time, threading
        import paho.mqtt.client as mqtt
        from paho.mqtt.properties import Properties
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.subscribeoptions import SubscribeOptions
        port = int(sys.argv[1])
        done = threading.Event()
        client = mqtt.Client(client_id='p', protocol=mqtt.MQTTv5)
        client.username_pw_set('p', 'secret')

        """;

    [PahoFact]
    public async Task Paho_publishes_subscribes_and_receives_at_our_listener()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        var output = Run(fixture.Listener.Port, """
            def connected(c, userdata, flags, reason, properties):
                print('connack', reason, properties.MaximumQoS, properties.ReceiveMaximum)
                c.subscribe([('own/p/down', SubscribeOptions(qos=1)), ('foreign/#', SubscribeOptions(qos=1))])
            def subscribed(c, userdata, mid, reasons, properties):
                print('suback', [r.value for r in reasons])
                p = Properties(PacketTypes.PUBLISH)
                p.UserProperty = ('k', 'v')
                c.publish('own/p/up', 'from paho', qos=1, properties=p)
            def message(c, userdata, m):
                print('message', m.topic, m.qos, m.payload.decode(), m.properties.UserProperty)
                c.disconnect()
                done.set()
            client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, message
            client.connect('127.0.0.1', port, 30)
            client.loop_start()
            print('done', done.wait(15))
            client.loop_stop()
            """);

        var (session, topic, text) = await ListenerFixture.NextAsync(fixture.Application.Messages);
        Assert.Equal(("own/p/up", "from paho"), (topic, text));
        session.TrySend("own/p/down", "to paho"u8.ToArray(), MqttQos.AtLeastOnce, [new("a", "b")]);

        Assert.Equal(
            "connack Success 1 32\nsuback [1, 135]\nmessage own/p/down 1 to paho [('a', 'b')]\ndone True\n",
            await output);
    }

    [PahoFact]
    public async Task Paho_is_refused_with_a_wrong_version_and_disconnected_for_qos_2()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        string output = await Run(fixture.Listener.Port, """
            old = mqtt.Client(client_id='old', protocol=mqtt.MQTTv311)
            def refused(c, userdata, flags, code):
                print('old', code)
                done.set()
            old.on_connect = refused
            old.connect('127.0.0.1', port, 30)
            while not done.is_set(): old.loop(0.1)
            done.clear()
            client.on_connect = lambda c, u, f, r, p: c.publish('own/p/x', 'twice', qos=2)
            def gone(c, userdata, reason, properties):
                print('gone', getattr(reason, 'value', reason))
                done.set()
            client.on_disconnect = gone
            client.connect('127.0.0.1', port, 30)
            while not done.is_set(): client.loop(0.1)
            """);

        Assert.Equal("old 1\ngone 155\n", output);
        Assert.Equal(1, fixture.Listener.Counters.ProtocolErrors(MqttReasonCode.QosNotSupported));
    }

    private static async Task<string> Run(int port, string script)
    {
        await using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.At("script.py"), Prelude + script);
        return await Spawner.Run(new ServerCommand(PahoFactAttribute.Python,
            folder.At("script.py"), port.ToString(CultureInfo.InvariantCulture))
        { Folder = folder.FullPath });
    }
}
