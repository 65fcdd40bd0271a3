using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads the configuration's file and the environment over it.</summary>
public static class ConfigurationFile
{
    /// <summary>Null when it cannot be read; then <paramref name="problem"/> says why, and where in the file.</summary>
    public static IConfiguration? Load(string path, out string problem)
    {
        var file = Path.GetFullPath(path);
        problem = "";
        try
        {
            // Opened first, as the reader of JSON says less of a file that is not there, or is a folder.
            File.OpenRead(file).Dispose();
            return new ConfigurationBuilder()
                .AddJsonFile(file, optional: false)
                .AddEnvironmentVariables("TELEMETRY__")
                .Build();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = $"{file}: there is no such file; --config FILE names the configuration";
        }
        catch (Exception e)
            when (e is IOException or FormatException or InvalidDataException or UnauthorizedAccessException)
        {
            problem = $"{file}: {Innermost(e)}";
        }

        return null;
    }

    private static string Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
        {
            error = inner;
        }

        if (error is not JsonException { LineNumber: { } line, BytePositionInLine: { } position })
        {
            return error.Message;
        }

        // The message ends with the same numbers, which count from zero.
        var end = error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return $"line {line + 1}, position {position + 1}: {(end < 0 ? error.Message : error.Message[..end])}";
    }
}
