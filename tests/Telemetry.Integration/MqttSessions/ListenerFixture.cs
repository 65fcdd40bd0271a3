using System.Threading.Channels;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.MqttSessions;

/// <summary>A listener on a free port, with the application behind it, and clients to it.</summary>
internal sealed class ListenerFixture : IAsyncDisposable
{
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(20);

    private ListenerFixture(MqttListenerOptions? options, RecordingApplication? application, TimeProvider? time)
    {
        Application = application ?? new RecordingApplication();
        Listener = new MqttListener((options ?? new MqttListenerOptions()) with { Port = 0 }, Application,
            time ?? TimeProvider.System);
    }

    public static async Task<ListenerFixture> StartAsync(
        MqttListenerOptions? options = null, RecordingApplication? application = null, TimeProvider? time = null)
    {
        var fixture = new ListenerFixture(options, application, time);
        await fixture.Listener.StartAsync(default);
        return fixture;
    }

    public RecordingApplication Application { get; }

    public MqttListener Listener { get; }

    public TestMqttOptions ClientOptions(string clientId) => new()
    {
        Port = Listener.Port,
        ClientId = clientId,
        UserName = clientId,
        Password = RecordingApplication.Password,
    };

    public async Task<TestMqttClient> ConnectAsync(string clientId, Action<string, byte[]>? received = null)
    {
        var client = new TestMqttClient(ClientOptions(clientId), received);
        Assert.Equal(MqttReasonCode.Success, (await client.ConnectAsync()).ReasonCode);
        return client;
    }

    public static async Task<T> NextAsync<T>(Channel<T> channel) =>
        await channel.Reader.ReadAsync().AsTask().WaitAsync(PatienceMax);

    /// <summary>Waits until a counter or state has its value.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(PatienceMax);
        while (!holds()) await Task.Delay(10, patience.Token);
    }

    public ValueTask DisposeAsync() => Listener.DisposeAsync();
}
