using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Api;

namespace Telemetry.Dashboard.Pages;

/// <summary>The pages' files, as they stand in the assembly.</summary>
internal sealed class EmbeddedFiles
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
        [".md"] = "text/plain; charset=utf-8",
        [".txt"] = "text/plain; charset=utf-8",
    };

    private readonly Dictionary<string, File> _files = new(StringComparer.Ordinal);

    public EmbeddedFiles()
    {
        var assembly = typeof(EmbeddedFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var tag = Convert.ToHexStringLower(SHA256.HashData(bytes))[..32];
            _files.Add(name, new File(bytes, Types[Path.GetExtension(name)], $"\"{tag}\""));
        }
    }

    /// <summary>The names of all files.</summary>
    public IEnumerable<string> Names => _files.Keys;

    /// <summary>Answers with a file; false when there is none of that name.</summary>
    public async Task<bool> TryAnswerAsync(HttpContext context, string name)
    {
        if (!_files.TryGetValue(name, out var file))
        {
            return false;
        }

        context.Response.Headers.CacheControl = "no-cache";
        if (!EntityTags.AnswerUnchanged(context, file.Tag))
        {
            context.Response.ContentType = file.Type;
            context.Response.ContentLength = file.Bytes.Length;
            await context.Response.Body.WriteAsync(file.Bytes, context.RequestAborted);
        }

        return true;
    }

    private sealed record File(byte[] Bytes, string Type, string Tag);
}
