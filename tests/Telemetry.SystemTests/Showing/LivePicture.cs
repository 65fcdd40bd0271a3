using System.Globalization;
using System.Text;
using Telemetry.SystemTests.Cluster;

namespace Telemetry.SystemTests.Showing;

/// <summary>
/// Shows each gateway's books as they move: on a terminal a table that is drawn over again, elsewhere a line now and
/// then. What happens is said above it.
/// </summary>
public sealed class LivePicture : IAsyncDisposable
{
    private static readonly TimeSpan DrawEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);

    private readonly LocalCluster _cluster;
    private readonly TextWriter _out;
    private readonly bool _terminal;
    private readonly DateTimeOffset _begun = DateTimeOffset.UtcNow;
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _drawing = new(1);
    private readonly Dictionary<string, GatewayStatus> _known = [];
    private readonly Task _running;
    private int _linesDrawn;
    private DateTimeOffset _lastLine;

    public LivePicture(LocalCluster cluster, TextWriter output, bool terminal)
    {
        _cluster = cluster;
        _out = output;
        _terminal = terminal;
        _running = RunAsync();
    }

    /// <summary>Says what happens, with the time since the beginning.</summary>
    public async Task SayAsync(string what)
    {
        await _drawing.WaitAsync();
        try
        {
            Erase();
            await _out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{(DateTimeOffset.UtcNow - _begun).TotalSeconds,6:0.0} s  {what}"));
            await _out.FlushAsync();
        }
        finally
        {
            _drawing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await DrawAsync();
                await Task.Delay(DrawEvery, _end.Token);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task DrawAsync()
    {
        var books = await _cluster.BooksAsync(_end.Token);
        var agents = await _cluster.AgentsAsync(_end.Token);
        foreach (var agent in agents)
        {
            _known[agent.Gateway] = agent;
        }

        var up = agents.Select(a => a.Gateway).ToHashSet();
        await _drawing.WaitAsync(_end.Token);
        try
        {
            if (_terminal)
            {
                Erase();
                var table = Table(books, up);
                _linesDrawn = table.Count(c => c == '\n');
                await _out.WriteAsync(table);
            }
            else if (DateTimeOffset.UtcNow - _lastLine >= LineEvery)
            {
                _lastLine = DateTimeOffset.UtcNow;
                await _out.WriteLineAsync(Line(books, up));
            }

            await _out.FlushAsync();
        }
        finally
        {
            _drawing.Release();
        }
    }

    private void Erase()
    {
        if (_linesDrawn > 0)
        {
            _out.Write($"\e[{_linesDrawn}A\e[J");
            _linesDrawn = 0;
        }
    }

    private string Table(IReadOnlyDictionary<string, BooksRow> books, HashSet<string> up)
    {
        var text = new StringBuilder();
        text.AppendLine(
            "gateway    link    accepted   at the edge    in flight      stored  rejected      lost  watermark");
        foreach (var (name, agent) in _known.OrderBy(k => k.Key, StringComparer.Ordinal))
        {
            var row = books.GetValueOrDefault(name);
            var link = !up.Contains(name) ? "dead" : agent.LinkUp ? "up" : "cut";
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{name,-10} {link,-5} {agent.Accepted,10} {agent.AtTheEdge,13} {agent.InFlight,12} {row?.Stored,11} "
                + $"{row?.Rejected,9} {row?.Lost,9}  {Age(row)}");
        }

        return text.ToString();
    }

    private string Line(IReadOnlyDictionary<string, BooksRow> books, HashSet<string> up)
    {
        var agents = _known.Values.Where(a => up.Contains(a.Gateway)).ToList();
        var oldest = books.Values.Where(b => b.WatermarkAge is not null).OrderByDescending(b => b.WatermarkAge)
            .FirstOrDefault();
        return string.Create(CultureInfo.InvariantCulture,
            $"{(DateTimeOffset.UtcNow - _begun).TotalSeconds,6:0.0} s    {up.Count} gateways alive, "
            + $"{agents.Count(a => a.LinkUp)} linked; "
            + $"accepted {_known.Values.Sum(a => a.Accepted)}, at the edge {agents.Sum(a => a.AtTheEdge)}, in flight "
            + $"{agents.Sum(a => a.InFlight)}, "
            + $"stored {books.Values.Sum(b => b.Stored)}, rejected {books.Values.Sum(b => b.Rejected)}, lost "
            + $"{books.Values.Sum(b => b.Lost)}; oldest watermark {Age(oldest)}");
    }

    private static string Age(BooksRow? row) =>
        row?.WatermarkAge is { } age
            ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0.0} s ago") : "none";
}
