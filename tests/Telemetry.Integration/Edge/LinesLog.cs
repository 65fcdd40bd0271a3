using System.Text;
using Microsoft.Extensions.Logging;

namespace Telemetry.Integration.Edge;

/// <summary>Keeps what is logged, exceptions included, as a console would show it.</summary>
internal sealed class LinesLog : ILoggerFactory, ILogger
{
    private readonly StringBuilder _text = new();

    /// <summary>All lines.</summary>
    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>How many there are.</summary>
    public int Lines => Text.Count(character => character == '\n');

    /// <summary>Waits until it was said.</summary>
    public async Task Until(string words)
    {
        for (var attempt = 0; attempt < 6000 && !Text.Contains(words, StringComparison.Ordinal); attempt++)
        {
            await Task.Delay(10);
        }

        Assert.Contains(words, Text, StringComparison.Ordinal);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lock (_text)
        {
            _text.Append(logLevel).Append(' ').Append(formatter(state, exception)).Append('\n');
            if (exception is not null)
            {
                _text.Append(exception).Append('\n');
            }
        }
    }

    public void Dispose()
    {
    }
}
