{
  # Sources and flags come from native/sources.json, which CMakeLists.txt reads too.
  "variables": {
    "gnu_flags": ["<!@(node -p \"require('./native/sources.json').common_flags.gnu.join(' ')\")"],
    "msvc_flags": ["<!@(node -p \"require('./native/sources.json').common_flags.msvc.join(' ')\")"],
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti", "-O2"],
    "cflags_cc": ["<@(gnu_flags)"],
    "xcode_settings": {
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "CLANG_CXX_LIBRARY": "libc++",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["<@(gnu_flags)"],
    },
    "msvs_settings": {"VCCLCompilerTool": {"ExceptionHandling": 1, "AdditionalOptions": ["<@(msvc_flags)"]}},
  },
  "targets": [
    {
      "target_name": "granule",
      "sources": [
        "<!@(node -p \"require('./native/sources.json').binding.map(f => 'native/' + f).join(' ')\")",
        "<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'base').sources.map(f => 'native/' + f).join(' ')\")",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "libraries": [],
      "conditions": [
        ["target_arch=='x64'", {"dependencies": ["granule_avx2", "granule_avxvnni", "granule_avx512", "granule_avx512vnni"]}],
        ["target_arch=='arm64'", {"dependencies": ["granule_neon", "granule_neondot", "granule_neoni8mm"]}],
        ["OS=='linux'", {"libraries": ["-ldl", "-lpthread"]}],
      ],
    },
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "granule_avx2",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx2').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx2').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx2').flags.gnu.join(' ')\")"]},
          "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["/arch:AVX2"]}},
        },
        {
          "target_name": "granule_avxvnni",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avxvnni').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avxvnni').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avxvnni').flags.gnu.join(' ')\")"]},
          "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["/arch:AVX2"]}},
        },
        {
          "target_name": "granule_avx512",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512').flags.gnu.join(' ')\")"]},
          "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["/arch:AVX512"]}},
        },
        {
          "target_name": "granule_avx512vnni",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512vnni').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512vnni').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'avx512vnni').flags.gnu.join(' ')\")"]},
          "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["/arch:AVX512"]}},
        },
      ],
    }],
    ["target_arch=='arm64'", {
      "targets": [
        {
          "target_name": "granule_neon",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neon').sources.map(f => 'native/' + f).join(' ')\")"],
        },
        {
          "target_name": "granule_neondot",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neondot').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neondot').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neondot').flags.gnu.join(' ')\")"]},
        },
        {
          "target_name": "granule_neoni8mm",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neoni8mm').sources.map(f => 'native/' + f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neoni8mm').flags.gnu.join(' ')\")"],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(node -p \"require('./native/sources.json').groups.find(g => g.name === 'neoni8mm').flags.gnu.join(' ')\")"]},
        },
      ],
    }],
  ],
}
