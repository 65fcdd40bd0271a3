using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;

namespace Telemetry.SystemTests.Senders;

/// <summary>
/// A client of an agent's HTTP input: sends this machine's metrics as line protocol, repeats each batch under the same
/// Idempotency-Key until it is answered, and keeps a journal outside of the agent.
/// </summary>
public sealed class LineSender(int port, string token, string journal, string gateway) : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(15);

    private readonly GatewayId _gateway = GatewayId.Parse(gateway);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Requests that were sent again, because the answer did not come.</summary>
    public int Repeats { get; private set; }

    /// <summary>Begins, or goes on behind what the journal has.</summary>
    public void Start()
    {
        if (_running.IsCompleted)
        {
            _stop.Dispose();
            _stop = new CancellationTokenSource();
            _running = RunAsync();
        }
    }

    /// <summary>
    /// Ends once the batch that is under way is answered. An agent that is down is waited for only so long: then that
    /// batch stays attempted, and nobody was told that it is safe.
    /// </summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _http.Dispose();
    }

    private async Task RunAsync()
    {
        var lines = new HostLines(_gateway);
        using var file = SenderJournal.Open(journal, _gateway);
        while (!_stop.IsCancellationRequested)
        {
            var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            var (line, readings) = lines.Measure(Math.Max(now, file.LastTime + 1));
            var offer = file.Attempt(readings, lines.Series);
            if (await DeliverAsync(line, offer.ToString(CultureInfo.InvariantCulture)))
            {
                file.Acknowledge(offer, readings.Count);
            }

            await Task.Delay(Every, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private async Task<bool> DeliverAsync(string line, string key)
    {
        for (var patience = GiveUpAfter; patience > TimeSpan.Zero;)
        {
            if (await SendAsync(line, key))
            {
                return true;
            }

            Repeats++;
            await Task.Delay(RepeatAfter);
            patience -= _stop.IsCancellationRequested ? RepeatAfter : TimeSpan.Zero;
        }

        return false;
    }

    /// <summary>
    /// True when it is stored; false when nobody answered, or it shall come again. Throws when it was refused.
    /// </summary>
    private async Task<bool> SendAsync(string line, string key)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"http://127.0.0.1:{port}/api/v2/write?org=demo&bucket=demo&precision=us")
        {
            Content = new StringContent(line),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", token);
        request.Headers.Add("Idempotency-Key", key);
        try
        {
            using var answer = await _http.SendAsync(request);
            return answer.StatusCode switch
            {
                HttpStatusCode.NoContent => true,
                HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout
                    or >= HttpStatusCode.InternalServerError => false,
                _ => throw new InvalidOperationException(
                    $"the agent refused '{line}' with {(int)answer.StatusCode}: "
                    + $"{await answer.Content.ReadAsStringAsync()}"),
            };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            return false;
        }
    }
}
