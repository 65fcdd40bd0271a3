using System.Text;
using System.Threading.Channels;
using Telemetry.Mqtt;

namespace Telemetry.Integration.Mqtt;

/// <summary>A listener of ours on a free port, with the application behind it, and clients of ours to it.</summary>
internal sealed class ListenerFixture : IAsyncDisposable
{
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(20);

    public ListenerFixture(
        MqttListenerOptions? options = null, RecordingApplication? application = null, TimeProvider? time = null)
    {
        Application = application ?? new RecordingApplication();
        Listener = new MqttListener((options ?? new MqttListenerOptions()) with { Port = 0 }, Application,
            time ?? TimeProvider.System);
        Listener.Start();
    }

    public RecordingApplication Application { get; }

    public MqttListener Listener { get; }

    public MqttClientOptions ClientOptions(string clientId) => new()
    {
        Host = "127.0.0.1",
        Port = Listener.Port,
        ClientId = clientId,
        UserName = clientId,
        Password = Encoding.UTF8.GetBytes(RecordingApplication.Password),
    };

    public async Task<MqttClient> ConnectAsync(string clientId, Func<MqttMessage, ValueTask>? onMessage = null)
    {
        var client = new MqttClient(ClientOptions(clientId), TimeProvider.System, onMessage);
        var result = await client.ConnectAsync();
        Assert.Equal(MqttReasonCode.Success, result.ReasonCode);
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
