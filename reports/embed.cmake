# cmake -DOUT=schema_data.c -DHEADER=reports/schema_data.h -DNAME=schema_results -DFILE=schema/result.schema.json -P embed.cmake
# A file as octets of C: NAME and NAME_len.
file(READ ${FILE} hex HEX)
string(LENGTH "${hex}" digits)
if(digits EQUAL 0)
  message(FATAL_ERROR "${FILE} is empty")
endif()
string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
file(WRITE ${OUT} "#include \"${HEADER}\"\n\nconst unsigned char ${NAME}[] = {${octets}};\nconst size_t ${NAME}_len = sizeof ${NAME};\n")
