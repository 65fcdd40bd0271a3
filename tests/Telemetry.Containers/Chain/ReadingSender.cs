using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Telemetry.Containers.Chain;

/// <summary>
/// A client of the agent's HTTP input, for one device: one batch of 500 lines after the other, each as soon as the one
/// before is acknowledged, which is about a second later. Each batch is repeated under the same Idempotency-Key until
/// it is answered, as clients do that want each reading once. What was sent is known exactly: sums are those of
/// quarters and of whole numbers.
/// </summary>
internal sealed class ReadingSender : IAsyncDisposable
{
    public const int LinesPerBatch = 500, ReadingsPerLine = 2;

    private static readonly TimeSpan RepeatAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromMinutes(3);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Uri _address;
    private readonly string _device;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _lines, _repeats;

    public ReadingSender(TrialChain chain, string device)
    {
        _address = new Uri($"http://127.0.0.1:{chain.InputPort}/api/v2/write?org=any&bucket=any&precision=us");
        _device = device;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Token", chain.InputToken);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Lines that the agent has acknowledged; two readings each.</summary>
    public long Lines => Interlocked.Read(ref _lines);

    /// <summary>How often a batch had to be sent again.</summary>
    public long Repeats => Interlocked.Read(ref _repeats);

    /// <summary>Of all acknowledged lines.</summary>
    public double TemperatureSum { get; private set; }

    /// <summary>Ends once the batch that is under way is acknowledged.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default);
        _stop.Dispose();
        _http.Dispose();
    }

    // From 60 to 80 and back in quarters, within two batches: an alert of the sample rules fires and resolves each
    // time.
    private static double Temperature(long line)
    {
        const int steps = 1000, half = steps / 2;
        var step = line % steps;
        return 60 + (Math.Floor((step < half ? step : steps - step) * 20.0 * 4 / half) / 4);
    }

    private async Task RunAsync()
    {
        var last = 0L;
        while (!_stop.IsCancellationRequested)
        {
            var now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            var first = Math.Max(now, last + 1);
            var text = new StringBuilder();
            var sum = 0.0;
            for (var i = 0; i < LinesPerBatch; i++)
            {
                var temperature = Temperature(_lines + i);
                sum += temperature;
                last = first + i;
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"boiler,device={_device} temperature={temperature},line={_lines + i + 1}i {last}\n");
            }

            await DeliverAsync(text.ToString(), $"{_device}-{_lines}");
            TemperatureSum += sum;
            Interlocked.Add(ref _lines, LinesPerBatch);
        }
    }

    private async Task DeliverAsync(string lines, string key)
    {
        for (var until = DateTime.UtcNow + AnsweredWithin; !await SendAsync(lines, key);)
        {
            if (DateTime.UtcNow > until)
            {
                throw new TimeoutException($"The agent did not take the batch {key} within {AnsweredWithin}.");
            }

            Interlocked.Increment(ref _repeats);
            await Task.Delay(RepeatAfter);
        }
    }

    /// <summary>
    /// True when it is in the outbox; false when nobody answered, or it shall come again. Throws when it was refused.
    /// </summary>
    private async Task<bool> SendAsync(string lines, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new StringContent(lines) };
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
                    $"The agent refused the batch {key}: {(int)answer.StatusCode} "
                    + await answer.Content.ReadAsStringAsync()),
            };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            return false;
        }
    }
}
